import { type Browser, chromium } from 'playwright-core';

/** Starts Debian's Chromium as a person without a graphics card would. @param flags more switches */
export function launchChromium(flags: readonly string[] = [], autoplay = true): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.ONAIR_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    ignoreDefaultArgs: ['--mute-audio'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(autoplay ? ['--autoplay-policy=no-user-gesture-required'] : []),
      ...flags,
    ],
  });
}
