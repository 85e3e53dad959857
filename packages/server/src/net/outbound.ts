import { lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { normalizeAddress } from '../observe/index.ts';

/** Where a connection that somebody's address asks for may lead. */
export type Reach = 'anywhere' | 'public';

/** Address blocks that are no public unicast addresses (IANA special-purpose registries, RFC 6890). */
const SPECIAL: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

// One list for each: a list takes IPv4 addresses for members of ::ffff:0:0/96.
const special4 = new BlockList();
const special6 = new BlockList();
for (const [address, bits] of SPECIAL) {
  if (isIP(address) === 4) special4.addSubnet(address, bits, 'ipv4');
  else special6.addSubnet(address, bits, 'ipv6');
}

/** True for a unicast address of the public network; false for what is no address at all. */
export function isPublicAddress(address: string): boolean {
  const plain = normalizeAddress(address);
  switch (isIP(plain)) {
    case 4:
      return !special4.check(plain, 'ipv4');
    case 6:
      return !special6.check(plain, 'ipv6');
    default:
      return false;
  }
}

/**
 * How to find the host of a connection: the addresses that a name stands for are looked at where they are used, so a
 * name that changes its meaning in between gains nothing. To be given as `lookup` to `net`, `tls`, `http` and `https`.
 * @throws Error for a host that is itself an address out of reach: for these nothing is looked up.
 */
export function lookupWithin(reach: Reach, host: string): LookupFunction | undefined {
  if (reach === 'anywhere') return undefined;
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0 && !isPublicAddress(bare)) throw outOfReach(bare);
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      const refused = addresses?.find(({ address }) => !isPublicAddress(address));
      if (error !== null) done(error, '', 0);
      else if (refused !== undefined) done(outOfReach(`${name} (${refused.address})`), '', 0);
      else if (options.all === true) done(null, addresses);
      else done(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

/** Why `host` is out of reach; undefined if it is not, as far as its name can be looked up now. */
export async function whyOutOfReach(reach: Reach, host: string): Promise<string | undefined> {
  try {
    const lookup = lookupWithin(reach, host);
    if (lookup === undefined || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined;
    const error = await new Promise<Error | null>((done) => lookup(host, {}, (failed) => done(failed)));
    return error instanceof OutOfReach ? error.message : undefined;
  } catch (error) {
    return error instanceof OutOfReach ? error.message : undefined;
  }
}

class OutOfReach extends Error {}

function outOfReach(what: string): Error {
  return new OutOfReach(`${what} is not an address of the public network`);
}
