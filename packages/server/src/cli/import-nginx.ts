import type { Command } from 'commander';

/** Adds `onair import-nginx FILE`. */
export function registerImportCommand(program: Command): void {
  program
    .command('import-nginx')
    .description('make a configuration of the rtmp block of nginx; what has no counterpart is named')
    .argument('<file>', 'nginx.conf')
    .action(async (file: string) => {
      const [{ importConf }, { reportFault }] = await Promise.all([
        import('./import-nginx-work.ts'),
        import('./fault.ts'),
      ]);
      try {
        process.stdout.write(importConf(file));
      } catch (error) {
        reportFault(error);
      }
    });
}
