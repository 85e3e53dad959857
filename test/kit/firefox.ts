import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { Child } from './child.ts';
import { lastLines } from './report.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';
import { jsonScript, type WebBrowser, type WebPage } from './web-page.ts';

/** Where Debian puts the browser; another place by the environment variable `ONAIR_FIREFOX`. */
export const FIREFOX = process.env.ONAIR_FIREFOX ?? '/usr/bin/firefox-esr';

/** Plays without a click, has a camera, asks nobody outside, and does not slow down what is not looked at. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'browser.tabs.remote.autostart': true,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'media.autoplay.blocking_policy': 0,
  'media.autoplay.default': 0,
  'media.block-autoplay-until-in-foreground': false,
  'media.gmp-manager.updateEnabled': false,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  'media.peerconnection.ice.loopback': true,
  'media.suspend-background-video.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.proxy.type': 0,
  'remote.active-protocols': 1,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.server': 'data:,',
};

/** Longest wait for an answer, ms. */
const ANSWER_MS = 60_000;

interface BidiAnswer {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly error?: string;
  readonly message?: string;
  readonly result?: unknown;
}

/** The part of WebDriver BiDi that tests need: commands with answers. */
class Bidi {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #next = 1;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data)) as BidiAnswer;
      if (answer.id === undefined) return;
      const one = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.type === 'success') one?.resolve(answer.result as never);
      else one?.reject(new Error(`${answer.error}: ${answer.message}`));
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser is gone'));
      this.#waiting.clear();
    });
  }

  static async connect(address: string): Promise<Bidi> {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new Bidi(socket);
  }

  call<R>(method: string, params: object = {}): Promise<R> {
    const id = this.#next++;
    return new Promise<R>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      timer.unref();
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

/**
 * A headless Firefox with an empty profile, ended with the scope.
 * @param type `window`: each page is one of its own, so that none is in the background
 */
export async function launchFirefox(scope: Scope, type: 'tab' | 'window' = 'tab'): Promise<WebBrowser> {
  const profile = scope.tempDir('onair-firefox-');
  const lines = Object.entries(PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  writeFileSync(join(profile, 'user.js'), `${lines.join('\n')}\n`);
  const child = new Child(
    'firefox',
    FIREFOX,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
    },
  );
  scope.own(child);
  const address = await until(
    () => {
      if (child.exit !== undefined) return 'gone';
      return child.errorLines.map((line) => /listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
    },
    { timeoutMs: 60_000, message: () => `Firefox listens: ${lastLines(child)}` },
  );
  if (address === 'gone') throw new Error(`Firefox ended: ${lastLines(child)}`);
  const bidi = await Bidi.connect(`${address}/session`);
  scope.defer(() => bidi.close());
  await bidi.call('session.new', { capabilities: {} });
  return { engine: 'firefox', open: (url) => openTab(bidi, url, type) };
}

interface ScriptResult {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
}

async function openTab(bidi: Bidi, url: string, type: 'tab' | 'window'): Promise<WebPage> {
  const { context } = await bidi.call<{ context: string }>('browsingContext.create', { type });
  await bidi.call('browsingContext.navigate', { context, url, wait: 'complete' });
  return {
    run: async (script, argument) => {
      const answer = await bidi.call<ScriptResult>('script.callFunction', {
        functionDeclaration: jsonScript(script),
        arguments: [{ type: 'string', value: JSON.stringify(argument ?? null) }],
        target: { context },
        awaitPromise: true,
      });
      if (answer.type === 'exception') throw new Error(answer.exceptionDetails?.text);
      return JSON.parse(answer.result?.value ?? 'null') as never;
    },
    screenshot: async (path) => {
      const { data } = await bidi.call<{ data: string }>('browsingContext.captureScreenshot', { context });
      writeFileSync(path, Buffer.from(data, 'base64'));
    },
    close: () => bidi.call('browsingContext.close', { context }),
  };
}
