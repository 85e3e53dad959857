import { Amf0Reader, type AmfValue, decodeAmf3, encodeAmf0, encodeAmf3 } from '../../amf/index.ts';
import { ByteReader, ByteWriter } from '../../bytes/index.ts';
import { ParseError } from '../../model/errors.ts';
import { MessageType } from '../chunk-message.ts';

/** Event types of shared objects (RTMP 1.0 §7.1.3). */
export const SharedObjectEventType = {
  use: 1,
  release: 2,
  requestChange: 3,
  change: 4,
  success: 5,
  sendMessage: 6,
  status: 7,
  clear: 8,
  remove: 9,
  requestRemove: 10,
  useSuccess: 11,
} as const;

/** One event of a shared-object message. */
export type SharedObjectEvent =
  /** The client joins or leaves; the server's answer to joining; all properties are gone. */
  | { readonly kind: 'use' | 'release' | 'useSuccess' | 'clear' }
  /** Properties that a client wants to have, or that others have set. */
  | {
      readonly kind: 'requestChange' | 'change';
      readonly values: readonly (readonly [name: string, value: AmfValue])[];
    }
  /** The wish for these properties was granted; they are gone; they are to go. */
  | { readonly kind: 'success' | 'remove' | 'requestRemove'; readonly names: readonly string[] }
  /** A method to be called at every client. */
  | { readonly kind: 'sendMessage'; readonly method: string; readonly args: readonly AmfValue[] }
  | { readonly kind: 'status'; readonly code: string; readonly level: string };

/** A shared-object message (RTMP 1.0 §7.1.3). */
export interface SharedObjectMessage {
  readonly kind: 'sharedObject';
  readonly name: string;
  /** Counted by the server, changed with each change. */
  readonly version: number;
  /** True if the server keeps the object when nobody uses it. */
  readonly persistent: boolean;
  readonly events: readonly SharedObjectEvent[];
  /** 3 where values are AMF3: message type 16. */
  readonly encoding: 0 | 3;
}

/** Most events in one message. */
export const MAX_SHARED_OBJECT_EVENTS = 1_024;
/** Longest name of an object or of a property, in bytes. */
export const MAX_SHARED_OBJECT_NAME = 256;

const CLAUSE = 'RTMP 1.0 §7.1.3';
const PERSISTENT = 2;
const KIND_OF = new Map(
  Object.entries(SharedObjectEventType).map(([kind, type]) => [
    type as number,
    kind as SharedObjectEvent['kind'],
  ]),
);

/**
 * Body of a type 19 (AMF0) or type 16 message. Type 16 begins with a byte that tells the form of values: 0 for AMF0 that
 * switches to AMF3 where it likes, 3 for AMF3. Events of unknown types are left out.
 * @throws ParseError `RTMP_SHARED_OBJECT_INVALID`, or what decoding gives.
 */
export function decodeSharedObject(type: number, body: Uint8Array): SharedObjectMessage {
  const reader = new ByteReader(body, CLAUSE);
  const late = type === MessageType.sharedObjectAmf3;
  const plain3 = late && reader.u8() === 3;
  const name = readName(reader);
  const version = reader.u32();
  const persistent = (reader.u32() & PERSISTENT) !== 0;
  reader.skip(4);
  const events: SharedObjectEvent[] = [];
  for (let count = 0; reader.remaining > 0; count++) {
    if (count >= MAX_SHARED_OBJECT_EVENTS) invalid(`more than ${MAX_SHARED_OBJECT_EVENTS} events`);
    const kind = KIND_OF.get(reader.u8());
    const data = reader.bytes(reader.u32());
    if (kind !== undefined) events.push(readEvent(kind, data, plain3));
  }
  return { kind: 'sharedObject', name, version, persistent, events, encoding: late ? 3 : 0 };
}

/** Body of the message, for the type that {@link sharedObjectType} tells. */
export function encodeSharedObject(message: Omit<SharedObjectMessage, 'kind'>): Uint8Array {
  const out = new ByteWriter();
  if (message.encoding === 3) out.u8(0);
  writeName(out, message.name);
  out
    .u32(message.version)
    .u32(message.persistent ? PERSISTENT : 0)
    .u32(0);
  for (const event of message.events) {
    const data = writeEvent(event, message.encoding);
    out.u8(SharedObjectEventType[event.kind]).u32(data.length).bytes(data);
  }
  return out.finish();
}

/** Message type of a shared object's encoding. */
export function sharedObjectType(encoding: 0 | 3): number {
  return encoding === 3 ? MessageType.sharedObjectAmf3 : MessageType.sharedObjectAmf0;
}

function readEvent(kind: SharedObjectEvent['kind'], data: Uint8Array, plain3: boolean): SharedObjectEvent {
  const reader = new ByteReader(data, CLAUSE);
  switch (kind) {
    case 'use':
    case 'release':
    case 'useSuccess':
    case 'clear':
      return { kind };
    case 'requestChange':
    case 'change':
      return { kind, values: readPairs(data, plain3) };
    case 'success':
    case 'remove':
    case 'requestRemove': {
      const names: string[] = [];
      while (reader.remaining > 0) names.push(readName(reader));
      return { kind, names };
    }
    case 'sendMessage': {
      const values = plain3 ? decodeAmf3(data) : readValues(data);
      const [method, ...args] = values;
      if (typeof method !== 'string') invalid('a message to no method');
      return { kind, method, args };
    }
    case 'status': {
      const code = readName(reader);
      return { kind, code, level: readName(reader) };
    }
  }
}

function readValues(data: Uint8Array): AmfValue[] {
  const reader = new Amf0Reader(data);
  const values: AmfValue[] = [];
  while (!reader.done) values.push(reader.value());
  return values;
}

/** Each name is followed by its value. AMF3 values tell no length, so that one pair is all an event can hold of them. */
function readPairs(data: Uint8Array, plain3: boolean): (readonly [string, AmfValue])[] {
  const pairs: (readonly [string, AmfValue])[] = [];
  for (let at = 0; at < data.length; ) {
    const names = new ByteReader(data.subarray(at), CLAUSE);
    const name = readName(names);
    at += names.position;
    if (plain3) {
      pairs.push([name, decodeAmf3(data.subarray(at))[0]]);
      break;
    }
    const values = new Amf0Reader(data.subarray(at));
    pairs.push([name, values.value()]);
    at += values.position;
  }
  return pairs;
}

function writeEvent(event: SharedObjectEvent, encoding: 0 | 3): Uint8Array {
  const out = new ByteWriter(64);
  switch (event.kind) {
    case 'use':
    case 'release':
    case 'useSuccess':
    case 'clear':
      break;
    case 'requestChange':
    case 'change':
      for (const [name, value] of event.values) {
        writeName(out, name);
        writeValue(out, value, encoding);
      }
      break;
    case 'success':
    case 'remove':
    case 'requestRemove':
      for (const name of event.names) writeName(out, name);
      break;
    case 'sendMessage':
      for (const value of [event.method, ...event.args]) writeValue(out, value, encoding);
      break;
    case 'status':
      writeName(out, event.code);
      writeName(out, event.level);
  }
  return out.finish();
}

/** AMF0; where the peer wants AMF3, behind the marker that switches to it (AMF0 §3.1). */
function writeValue(out: ByteWriter, value: AmfValue, encoding: 0 | 3): void {
  if (encoding === 0) out.bytes(encodeAmf0([value]));
  else out.u8(AVM_PLUS).bytes(encodeAmf3([value]));
}

/** AMF0 §2.1: what follows is one value of AMF3. */
const AVM_PLUS = 0x11;

function readName(reader: ByteReader): string {
  const length = reader.u16();
  if (length > MAX_SHARED_OBJECT_NAME) invalid(`a name of ${length} bytes`);
  return reader.utf8(length);
}

function writeName(out: ByteWriter, name: string): void {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > MAX_SHARED_OBJECT_NAME) invalid(`a name of ${bytes.length} bytes`);
  out.u16(bytes.length).bytes(bytes);
}

function invalid(what: string): never {
  throw new ParseError('RTMP_SHARED_OBJECT_INVALID', CLAUSE, what);
}
