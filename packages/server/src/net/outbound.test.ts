import { describe, expect, it } from 'vitest';
import { isPublicAddress, lookupWithin } from './outbound.ts';

describe('isPublicAddress', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8.',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fc00::1',
    'fe80::1%eth0',
    'ff02::1',
    '',
    'localhost',
    '2130706433',
    '0177.0.0.1',
  ])('refuses %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.15.0.1', '172.32.0.1', '1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8'])(
    'takes %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('lookupWithin', () => {
  it('looks at nothing where everything is in reach', () => {
    expect(lookupWithin('anywhere', '127.0.0.1')).toBeUndefined();
  });

  it.each(['127.0.0.1', '[::1]', '::1', '169.254.169.254'])('refuses %s at once', (host) => {
    expect(() => lookupWithin('public', host)).toThrow(/not an address of the public network/);
  });

  // What the C library makes of such names is an address of this machine.
  it.each(['localhost', '2130706433', '0x7f000001', '0177.1'])('refuses what %s stands for', async (name) => {
    const lookup = lookupWithin('public', name)!;
    const outcome = await new Promise<unknown>((done) => lookup(name, {}, (error) => done(error)));
    expect(String(outcome)).toMatch(/not an address of the public network|ENOTFOUND|EAI_AGAIN/);
  });
});
