import { ByteReader, ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { Amf0Reader } from './amf0-reader.ts';
import { encodeAmf0 } from './amf0-writer.ts';
import type { AmfValue } from './value.ts';

const CLAUSE = 'AMF0 §4';
/** Headers and messages of one packet. */
export const MAX_REMOTING_PARTS = 32;
/** Length of a value that is not told. §4.2. */
const UNKNOWN_LENGTH = 0xffff_ffff;

/** One message of a remoting packet: a call, or the answer to one. AMF0 §4.2. */
export interface RemotingMessage {
  /** The method; in answers the `response` of the call with `/onResult` or `/onStatus` behind it. */
  readonly target: string;
  /** Names the answer, e.g. `/1`. */
  readonly response: string;
  /** The list of arguments, or the answer. */
  readonly value: AmfValue;
}

/**
 * The messages of an HTTP remoting packet (`application/x-amf`), of version 0 or 3; headers are skipped.
 * @throws ParseError for what is malformed or above the limits.
 */
export function readRemoting(bytes: Uint8Array): RemotingMessage[] {
  const r = new ByteReader(bytes, CLAUSE);
  const version = r.u16();
  if (version !== 0 && version !== 3) malformed(`version ${version}`);
  for (let left = countOf(r.u16()); left > 0; left--) {
    r.utf8(r.u16());
    r.skip(1);
    readValue(r, r.u32());
  }
  const messages: RemotingMessage[] = [];
  for (let left = countOf(r.u16()); left > 0; left--) {
    const target = r.utf8(r.u16());
    const response = r.utf8(r.u16());
    messages.push({ target, response, value: readValue(r, r.u32()) });
  }
  return messages;
}

/** A packet of version 0 with values in AMF0. */
export function writeRemoting(messages: readonly RemotingMessage[]): Uint8Array {
  const w = new ByteWriter(256).u16(0).u16(0).u16(messages.length);
  for (const { target, response, value } of messages) {
    const body = encodeAmf0([value]);
    for (const name of [target, response]) {
      const text = new TextEncoder().encode(name);
      w.u16(text.length).bytes(text);
    }
    w.u32(body.length).bytes(body);
  }
  return w.finish();
}

/** @param length as told: whoever does not know tells {@link UNKNOWN_LENGTH}, and then it is the last. */
function readValue(r: ByteReader, length: number): AmfValue {
  const body = length === UNKNOWN_LENGTH ? r.rest() : r.bytes(length);
  return new Amf0Reader(body).value();
}

function countOf(count: number): number {
  return count > MAX_REMOTING_PARTS ? malformed(`${count} parts`) : count;
}

function malformed(what: string): never {
  throw new ParseError('AMF_COUNT', CLAUSE, `a remoting packet of ${what}`);
}
