import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import type { Scope } from './scope.ts';

/** Where Debian puts the browser; another place by the environment variable `ONAIR_CHROMIUM`. */
export const CHROMIUM = process.env.ONAIR_CHROMIUM ?? '/usr/bin/chromium';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream=fps=10',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--disable-features=Translate,MediaRouter,OptimizationHints,SpareRendererForSitePerProcess',
];

/** How the browser is started. */
export interface ChromiumOptions {
  /** Further command-line flags. */
  readonly flags?: readonly string[];
  readonly headless?: boolean;
}

/** A headless Chromium with an empty profile, closed with the scope. */
export async function launchChromium(scope: Scope, options: ChromiumOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: options.headless ?? true,
    args: [...FLAGS, ...(options.flags ?? [])],
  });
  scope.defer(() => browser.close());
  return browser;
}

/** Closes every page: one that a failed test leaves plays on, and takes from the next what that needs. */
export async function closePages(browser: Browser): Promise<void> {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

/** A page that keeps what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Uncaught exceptions and console errors, oldest first. */
  readonly errors: readonly string[];
  /** Requests to any other host than loopback; a product page must make none. */
  readonly foreignRequests: readonly string[];
}

/** A fresh context with one page whose errors are recorded. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  const foreignRequests: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const local = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
    if (!local && protocol !== 'data:' && protocol !== 'blob:') foreignRequests.push(request.url());
  });
  return { page, context, errors, foreignRequests };
}
