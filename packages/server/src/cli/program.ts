import { Command } from 'commander';
import { registerConfigCommand } from './config.ts';
import { registerDemoCommand } from './demo.ts';
import { registerImportCommand } from './import-nginx.ts';
import { registerInspectCommand } from './inspect.ts';
import { registerKeyCommand } from './key.ts';
import { registerPlayCommand } from './play.ts';
import { registerPushCommand } from './push.ts';
import { registerRemuxCommands } from './remux.ts';
import { registerServeCommand } from './serve.ts';
import { installedVersion } from './version.ts';

/** The command line of `onair`. */
export function buildProgram(): Command {
  const program = new Command('onair')
    .description('Live-streaming server: publish by RTMP, watch anywhere')
    .version(installedVersion())
    .showHelpAfterError();
  registerServeCommand(program);
  registerDemoCommand(program);
  registerPushCommand(program);
  registerPlayCommand(program);
  registerInspectCommand(program);
  registerRemuxCommands(program);
  registerKeyCommand(program);
  registerConfigCommand(program);
  registerImportCommand(program);
  return program;
}
