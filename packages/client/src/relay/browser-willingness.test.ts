import { afterEach, expect, it, vi } from 'vitest';
import { browserWillingness } from './browser-willingness.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const charged = (charging: boolean) => ({ getBattery: async () => ({ charging }) });

it.each([
  ['at a desk', {}, false, true],
  ['on mains, by a line of its own', { ...charged(true), connection: { type: 'wifi' } }, false, true],
  ['on battery', charged(false), false, false],
  ['by mobile data', { connection: { type: 'cellular' } }, false, false],
  ['with data saver', { connection: { saveData: true } }, false, false],
  ['in a tab in the background', {}, true, false],
  [
    'where the page may not ask for the battery',
    {
      getBattery: async () => {
        throw new Error('forbidden');
      },
    },
    false,
    true,
  ],
])('a viewer %s serves others or not', async (_, surroundings, hidden, relayable) => {
  vi.stubGlobal('navigator', surroundings);
  vi.stubGlobal('document', { hidden });
  const willing = browserWillingness({ uploadBits: 2e6 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(willing()).toEqual({ relayable, uploadBits: 2e6 });
});

it('a viewer that is plugged out, or turns to another tab, serves no longer', async () => {
  const battery = { charging: true };
  const page = { hidden: false };
  vi.stubGlobal('navigator', { getBattery: async () => battery });
  vi.stubGlobal('document', page);
  const willing = browserWillingness(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(willing()).toEqual({ relayable: true, uploadBits: 0 });
  battery.charging = false;
  expect(willing().relayable).toBe(false);
  battery.charging = true;
  page.hidden = true;
  expect(willing().relayable).toBe(false);
});
