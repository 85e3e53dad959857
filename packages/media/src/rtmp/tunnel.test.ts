import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTunnelPath, tunnelId, tunnelPath } from './index.ts';

it.each([
  ['/fcs/ident2', { kind: 'ident' }],
  ['/open/1', { kind: 'open' }],
  ['/open', { kind: 'open' }],
  ['/send/abc_-9/0', { kind: 'send', id: 'abc_-9', sequence: 0 }],
  ['/idle/x/123456789', { kind: 'idle', id: 'x', sequence: 123_456_789 }],
  ['/close/x/7', { kind: 'close', id: 'x', sequence: 7 }],
  ['/', undefined],
  ['/open/x', undefined],
  ['/send/x', undefined],
  ['/send/x/-1', undefined],
  ['/send/x/1234567890', undefined],
  ['/send/../1', undefined],
  ['/send/x/1/', undefined],
  ['/send/x/1?a', undefined],
  ['/SEND/x/1', undefined],
  [`/send/${'x'.repeat(65)}/1`, undefined],
])('%s', (path, request) => {
  expect(parseTunnelPath(path)).toEqual(request);
});

it('reads back the paths it makes', () => {
  const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const kind = fc.constantFrom('send' as const, 'idle' as const, 'close' as const);
  fc.assert(
    fc.property(kind, id, fc.integer({ min: 0, max: 999_999_999 }), (what, name, sequence) => {
      const request = { kind: what, id: name, sequence };
      expect(parseTunnelPath(tunnelPath(request))).toEqual(request);
    }),
  );
  expect(parseTunnelPath(tunnelPath({ kind: 'open' }))).toEqual({ kind: 'open' });
  expect(parseTunnelPath(tunnelPath({ kind: 'ident' }))).toEqual({ kind: 'ident' });
});

it('takes an id with its line end and nothing that would leave the path', () => {
  expect(tunnelId('aB9_-\n')).toBe('aB9_-');
  for (const bad of ['', '\n', 'a/b', 'a b', '../x', 'x'.repeat(65)]) expect(tunnelId(bad)).toBeUndefined();
});
