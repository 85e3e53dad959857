import { Child } from './child.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

/** A screen that nobody sees, ended with the scope. @returns its name, for `DISPLAY` */
export async function openScreen(scope: Scope): Promise<string> {
  const screen = scope.own(
    new Child('Xvfb', 'Xvfb', ['-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp']),
  );
  let display = '';
  screen.stdout.setEncoding('utf8').on('data', (text: string) => {
    display += text;
  });
  await until(() => display.includes('\n') || screen.exit !== undefined, {
    timeoutMs: 20_000,
    message: () => `Xvfb begins: ${lastLines(screen)}`,
  });
  return `:${display.trim()}`;
}
