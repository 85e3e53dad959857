import { isIPv4, isIPv6 } from 'node:net';

/** A remote address as it is logged, counted and compared: IPv4 within IPv6 is unwrapped, zones are cut. */
export function normalizeAddress(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  return mapped ?? bare.toLowerCase();
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: string | undefined): boolean {
  const plain = normalizeAddress(address);
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'));
}

/**
 * The unit in which callers are counted: an IPv4 address, or the /64 of an IPv6 address, since one machine
 * usually owns the whole /64.
 */
export function addressGroup(address: string | undefined): string {
  const plain = normalizeAddress(address);
  if (!isIPv6(plain) || plain === '::1') return plain;
  const [head = '', tail] = plain.split('::');
  const words = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (words.length + last.length < 8) words.push('0');
    words.push(...last);
  }
  return `${words
    .slice(0, 4)
    .map((word) => Number.parseInt(word, 16).toString(16))
    .join(':')}::/64`;
}
