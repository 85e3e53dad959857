import { writeFileSync } from 'node:fs';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { openScreen } from './screen.ts';
import { until } from './until.ts';
import { jsonScript, type WebBrowser, type WebPage } from './web-page.ts';

/** Where Debian puts the driver of WebKitGTK; another place by the environment variable `ONAIR_WEBKIT_DRIVER`. */
export const WEBKIT_DRIVER = process.env.ONAIR_WEBKIT_DRIVER ?? '/usr/bin/WebKitWebDriver';

/**
 * WebKitGTK's small browser on a screen of its own, ended with the scope. It has one window, so one page at a time.
 * Its media element is allowed to play HLS by itself, as Safari's does.
 */
export async function launchWebKit(scope: Scope): Promise<WebBrowser> {
  const home = scope.tempDir('onair-webkit-');
  const display = await openScreen(scope);
  const port = await freePort();
  const driver = scope.own(
    new Child('WebKitWebDriver', WEBKIT_DRIVER, [`--port=${port}`, '--host=127.0.0.1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        DISPLAY: display,
        GDK_BACKEND: 'x11',
        HOME: home,
        LIBGL_ALWAYS_SOFTWARE: '1',
        NO_AT_BRIDGE: '1',
        WEBKIT_GST_ENABLE_HLS_SUPPORT: '1',
      },
    }),
  );
  const base = `http://127.0.0.1:${port}`;
  await until(() => call(base, 'GET', '/status'), {
    timeoutMs: 20_000,
    message: () => `WebKitWebDriver listens: ${lastLines(driver)}`,
  });
  let session: string | undefined;
  const end = async (): Promise<void> => {
    if (session !== undefined) await call(base, 'DELETE', session);
    session = undefined;
  };
  scope.defer(() => end().catch(() => undefined));
  return {
    engine: 'webkit',
    async open(url) {
      await end();
      session = await newSession(base);
      return openWindow(base, session, url, end);
    },
  };
}

/** Longest wait for an answer, ms. */
const ANSWER_MS = 60_000;

async function newSession(base: string): Promise<string> {
  const { sessionId } = await call<{ sessionId: string }>(base, 'POST', '/session', {
    capabilities: {
      alwaysMatch: { 'webkitgtk:browserOptions': { args: ['--automation', '--autoplay-policy=allow'] } },
    },
  });
  return `/session/${sessionId}`;
}

async function openWindow(
  base: string,
  session: string,
  url: string,
  close: () => Promise<void>,
): Promise<WebPage> {
  await call(base, 'POST', `${session}/url`, { url });
  return {
    run: async (script, argument) => {
      const text = await call<string>(base, 'POST', `${session}/execute/sync`, {
        script: `return (${jsonScript(script)})(arguments[0])`,
        args: [JSON.stringify(argument ?? null)],
      });
      return JSON.parse(text) as never;
    },
    screenshot: async (path) => {
      const data = await call<string>(base, 'GET', `${session}/screenshot`);
      writeFileSync(path, Buffer.from(data, 'base64'));
    },
    close,
  };
}

/** One command of WebDriver; throws with the driver's words. */
async function call<R>(base: string, method: string, path: string, body?: object): Promise<R> {
  const response = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(ANSWER_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { value } = (await response.json()) as { value: R & { message?: string } };
  if (!response.ok) throw new Error(`${method} ${path}: ${value.message}`);
  return value;
}
