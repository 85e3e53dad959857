import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildConfig } from '../config/index.ts';
import { type AccessLists, isAdmitted, verdictOf } from './index.ts';

const listsOf = (lists: readonly object[]): AccessLists =>
  buildConfig({}, JSON.stringify({ auth: { lists } })).auth.lists;

const says = (publish: readonly string[], address: string, forwarded = false) =>
  verdictOf(listsOf([{ app: 'live', publish }]), 'publish', { app: 'live', address, forwarded });

describe('lists of addresses', () => {
  it('decide by the first rule that fits, and are open where none does', () => {
    const rules = [
      'allow 127.0.0.1',
      'deny 10.1.0.0/16',
      'allow 10.0.0.0/8',
      'allow 2001:db8::/32',
      'deny all',
    ];
    expect(says(rules, '127.0.0.1')).toBe('allow');
    expect(says(rules, '10.1.2.3')).toBe('deny');
    expect(says(rules, '10.2.2.3')).toBe('allow');
    expect(says(rules, '2001:db8:1::5')).toBe('allow');
    expect(says(rules, '2001:db9::5')).toBe('deny');
    expect(says(rules, '192.0.2.1')).toBe('deny');
    expect(says(rules.slice(0, -1), '192.0.2.1')).toBe('open');
    expect(says([], '192.0.2.1')).toBe('open');
  });

  it('let nobody in by an address who may come from anywhere, and keep out who is named', () => {
    expect(says(['allow 127.0.0.1', 'deny all'], '127.0.0.1', true)).toBe('deny');
    expect(says(['allow all'], '127.0.0.1', true)).toBe('allow');
    // A header that anybody can send hides nobody.
    expect(says(['deny 192.0.2.1'], '192.0.2.1', true)).toBe('deny');
    expect(says(['deny 192.0.2.1'], '0.0.0.0')).toBe('deny');
    expect(says(['allow 192.0.2.1', 'deny all'], '0.0.0.0')).toBe('deny');
    expect(says(['allow 192.0.2.1', 'deny all'], '')).toBe('deny');
  });

  it('are those of the application, else of every one; publishing and playing are apart', () => {
    const lists = listsOf([
      { app: 'live', publish: ['deny all'], admits: true },
      { play: ['deny 192.0.2.0/24'], publish: ['allow 192.0.2.0/24'], admits: true },
    ]);
    const address = '192.0.2.7';
    expect(verdictOf(lists, 'play', { app: 'live', address })).toBe('open');
    expect(verdictOf(lists, 'play', { app: 'other', address })).toBe('deny');
    expect(verdictOf(lists, 'publish', { app: 'live', address })).toBe('deny');
    expect(isAdmitted(lists, { app: 'other', address })).toBe(true);
    expect(isAdmitted(lists, { app: 'live', address })).toBe(false);
    expect(isAdmitted(lists, { app: 'other', address: '198.51.100.1' })).toBe(false);
  });

  it('with `deny all` behind them let in none but those of their ranges', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), fc.integer({ min: 0, max: 32 }), (bytes, bits) => {
        const [a, b, c, d] = bytes;
        const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
        if (number === 0) return;
        const within = bits === 0 || (number ^ 0x0a01_0203) >>> (32 - bits) === 0;
        const verdict = says([`allow 10.1.2.3/${bits}`, 'deny all'], bytes.join('.'));
        expect(verdict).toBe(within ? 'allow' : 'deny');
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    'allow',
    'allow  all',
    'permit all',
    'deny 300.1.1.1',
    'deny 10.0.0.0/33',
    'allow ::1/129',
    'deny host',
  ])('refuse the rule %j', (rule) => {
    expect(() => listsOf([{ publish: [rule] }])).toThrow();
  });
});
