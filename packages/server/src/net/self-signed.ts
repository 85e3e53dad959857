import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, integer, objectIdentifier, octets, sequence, setOf, tagged, time, utf8, yes } from './der.ts';
import type { TlsIdentity } from './tls-listener.ts';

/** What a certificate says. */
export interface CertificateFacts {
  /** Host names and addresses it is good for. */
  readonly names: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** Most names in one certificate. */
const MAX_NAMES = 64;

/** A new P-256 key and an X.509 version 3 certificate that it signs itself (RFC 5280). */
export function selfSigned(facts: CertificateFacts): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const body = toBeSigned(facts, publicKey, algorithm);
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, algorithm, bits(signature));
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** RFC 5280 §4.1: TBSCertificate. */
function toBeSigned(facts: CertificateFacts, publicKey: KeyObject, algorithm: Buffer): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = sequence(
    setOf(sequence(objectIdentifier(COMMON_NAME), utf8(`onair ${facts.names[0] ?? ''}`))),
  );
  const extensions = sequence(
    extension(BASIC_CONSTRAINTS, true, sequence()),
    // Bit 0: digitalSignature.
    extension(KEY_USAGE, true, bits(Buffer.from([0x80]), 7)),
    extension(EXTENDED_KEY_USAGE, false, sequence(objectIdentifier(SERVER_AUTH))),
    extension(SUBJECT_KEY_IDENTIFIER, false, octets(createHash('sha1').update(spki).digest())),
    extension(SUBJECT_ALT_NAME, false, sequence(...facts.names.slice(0, MAX_NAMES).map(generalName))),
  );
  return sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    name,
    sequence(time(facts.notBefore), time(facts.notAfter)),
    name,
    spki,
    tagged(3, extensions),
  );
}

/** RFC 5280 §4.1.2.2: positive and unique. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [yes()] : []), octets(value));
}

/** RFC 5280 §4.2.1.6. */
function generalName(name: string): Buffer {
  if (isIP(name) === 0) return tagged(2, Buffer.from(name, 'latin1'), false);
  return tagged(7, addressBytes(name), false);
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const plain = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const word = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
    return `${word(a, b)}:${word(c, d)}`;
  });
  const [head = '', tail] = plain.split('::');
  const words = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const front = words(head);
  const back = words(tail);
  const middle = new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0);
  return Buffer.from([...front, ...middle, ...back].flatMap((word) => [word >> 8, word & 0xff]));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
