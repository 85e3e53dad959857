/** Tags of ASN.1 (ITU-T X.690 §8). */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value with its tag and length in the distinguished encoding (X.690 §10). */
export function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size: number[] = [];
  if (length < 0x80) size.push(length);
  else {
    for (let rest = length; rest > 0; rest >>>= 8) size.unshift(rest & 0xff);
    size.unshift(0x80 | size.length);
  }
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** SEQUENCE of values. */
export const sequence = (...items: readonly Uint8Array[]): Buffer => der(TAG.sequence, Buffer.concat(items));

/** SET of one value. */
export const setOf = (item: Uint8Array): Buffer => der(TAG.set, item);

/** A value under a context-specific tag; `constructed` for one that holds others. */
export const tagged = (number: number, content: Uint8Array, constructed = true): Buffer =>
  der((constructed ? 0xa0 : 0x80) | number, content);

/** A non-negative INTEGER, most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const body = bytes.subarray(from);
  return der(TAG.integer, (body[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), body]) : body);
}

/** OBJECT IDENTIFIER, e.g. `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.objectIdentifier, Buffer.from(bytes));
}

/** BOOLEAN TRUE. */
export const yes = (): Buffer => der(TAG.boolean, Buffer.from([0xff]));

/** UTF8String. */
export const utf8 = (text: string): Buffer => der(TAG.utf8String, Buffer.from(text, 'utf8'));

/** OCTET STRING. */
export const octets = (content: Uint8Array): Buffer => der(TAG.octetString, content);

/** BIT STRING. @param unused bits of the last byte that do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer =>
  der(TAG.bitString, Buffer.concat([Buffer.from([unused]), content]));

/** A point in time: UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). @param ms since 1970. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return Number(digits.slice(0, 4)) < 2050
    ? der(TAG.utcTime, Buffer.from(digits.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(digits));
}
