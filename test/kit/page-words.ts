import { slack } from './load.ts';
import { until } from './until.ts';
import type { WebPage } from './web-page.ts';

/** Presses the button with this text; waits until there is one that can be pressed, ten seconds at most. */
export async function press(page: WebPage, text: string): Promise<void> {
  const instead = await page.run(async (wanted: string) => {
    for (let i = 0; i < 200; i++) {
      const all = [...document.querySelectorAll<HTMLElement>('button, a.button')];
      const found = all.find(
        (one) => one.textContent?.includes(wanted) && !(one as HTMLButtonElement).disabled,
      );
      if (found !== undefined) {
        found.click();
        return '';
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return document.body.innerText;
  }, text);
  if (instead !== '') throw new Error(`no button ${text} in: ${instead}`);
}

/** Waits until the page says so. @param context added to the message if it never does. */
export async function sees(page: WebPage, text: string, context = (): string => ''): Promise<void> {
  let last = '';
  await until(
    async () => {
      last = await page.run(() => document.body.innerText, null);
      return last.includes(text);
    },
    { timeoutMs: 40_000 * slack(), message: () => `${text} in: ${last}\n${context()}` },
  );
}
