import { ConfigError, faultText } from '../config/index.ts';

/** Exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits). */
export const EXIT_CONFIG = 78;

/** Tells a person on standard error why a command failed, and sets the exit code. */
export function reportFault(error: unknown): void {
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  if (error instanceof ConfigError) {
    write('onair: the configuration cannot be used');
    for (const fault of error.faults) write(`  ${faultText(fault)}`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  write(`onair: ${explain(error)}`);
  process.exitCode = 1;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address, path } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program; choose another with --http-port or --rtmp-port`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine`;
    case 'EACCES':
    case 'EPERM':
      return path === undefined ? `no permission for port ${port}` : `no permission for ${path}`;
    case 'ENOSPC':
      return `no space left for ${path ?? 'the data folder'}`;
    default:
      return error.message;
  }
}
