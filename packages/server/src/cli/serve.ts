import type { Command } from 'commander';
import { addCommonFlags, type ServeFlags } from './settings.ts';

/** Adds `onair serve`. */
export function registerServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('run the server')
    .option('--host <address>', 'address that every listener binds to')
    .option('--http-port <port>', 'port of pages, API, HTTP and WebSocket; 0 picks one')
    .option('--rtmp-port <port>', 'port of RTMP; 0 picks one')
    .option('--tls-port <port>', 'port of HTTPS')
    .option('--log <format>', 'auto, json or pretty')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--demo', 'publish the built-in test picture as live/demo')
    .option('--compat', 'open the additional ports of older servers');
  addCommonFlags(command).action(async (flags: ServeFlags) => {
    // Loaded when needed: the other commands start without the server's modules.
    const [{ serve }, { reportFault }] = await Promise.all([import('./serve-run.ts'), import('./fault.ts')]);
    await serve(flags).catch(reportFault);
  });
}
