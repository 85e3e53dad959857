import type { Browser } from 'playwright-core';
import { openPage } from './chromium.ts';

/** A page in a browser, whatever drives that browser. What goes in and out is JSON. */
export interface WebPage {
  /** Runs `script` in the page and waits for what it promises. It sees nothing of the scope it is written in. */
  run<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  /** Writes a PNG of what is to be seen; not every driver can. */
  screenshot?(path: string): Promise<unknown>;
  /** Closes the page. */
  close(): Promise<unknown>;
}

/** Opens pages; one browser of one kind. */
export interface WebBrowser {
  /** `chromium`, `firefox` or `webkit`. */
  readonly engine: 'chromium' | 'firefox' | 'webkit';
  open(address: string): Promise<WebPage>;
}

/** The source of a script that takes its argument and gives its result as JSON text. */
export function jsonScript(script: (argument: never) => unknown): string {
  return `async (text) => JSON.stringify((await (${script})(JSON.parse(text))) ?? null)`;
}

/** Makes a driven Chromium open pages the way the other browsers do. */
export function chromiumPages(browser: Browser): WebBrowser {
  return {
    engine: 'chromium',
    async open(address) {
      const { page } = await openPage(browser, { viewport: { width: 720, height: 480 } });
      await page.goto(address);
      const evaluate = page.evaluate.bind(page) as (text: string) => Promise<string>;
      return {
        run: async (script, argument) => {
          const text = JSON.stringify(JSON.stringify(argument ?? null));
          return JSON.parse(await evaluate(`(${jsonScript(script)})(${text})`)) as never;
        },
        screenshot: (path) => page.screenshot({ path, fullPage: true }),
        close: () => page.context().close(),
      };
    },
  };
}
