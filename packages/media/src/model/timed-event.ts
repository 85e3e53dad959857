import { MICROSECONDS, type Timebase, ticks } from '../time/index.ts';
import type { Sample, Track } from './sample.ts';

/** Largest payload of an event as JSON in UTF-8, in bytes. */
export const MAX_EVENT_BYTES = 65_536;
/** Longest name of an event, in characters. */
export const MAX_EVENT_NAME = 64;
/** Longest id of an event, in characters. */
export const MAX_EVENT_ID = 128;

/** What an SCTE 35 message of an event says. */
export interface EventSplice {
  /** `out`: a break begins; `in`: it ends; `command`: anything else. */
  readonly kind: 'out' | 'in' | 'command';
  /** The `splice_info_section` in hexadecimal digits, lower case. */
  readonly section: string;
  /** For `in`: id of the event that began the break. */
  readonly of?: string;
}

/** Something that happens at a moment of a stream, and for a while after it if it has a duration. */
export interface TimedEvent {
  /** Unique within the stream: whoever sees it twice has seen it once. 1 to 128 of `A-Z a-z 0-9 . _ : -`. */
  readonly id: string;
  /** What it is; 1 to 64 characters. */
  readonly name: string;
  /** Stream time in µs. */
  readonly time: number;
  /** µs; 0 for a moment. */
  readonly duration: number;
  /** Anything that JSON can hold, at most {@link MAX_EVENT_BYTES}. */
  readonly data: unknown;
  /** It travels as a data message of its own name where a protocol has such; `data` is the list of its values. */
  readonly raw?: boolean;
  readonly splice?: EventSplice;
}

/** The track of every stream's events. It is no part of epochs: it is always there. */
export const EVENT_TRACK: Track = {
  id: 255,
  timebase: MICROSECONDS as Timebase,
  parameters: { kind: 'data', codec: 'event' },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** An event as a sample. @param now stream time in µs at which it became known. */
export function eventSample(event: TimedEvent, now: number): Sample {
  return {
    track: EVENT_TRACK,
    dts: ticks(now),
    pts: ticks(event.time),
    duration: ticks(event.duration),
    keyframe: true,
    data: encodeEvent(event),
  };
}

/** The JSON text of an event: the payload of every carrier that takes one. */
export function encodeEvent(event: TimedEvent): Uint8Array {
  return encoder.encode(JSON.stringify(event));
}

/** The event in a payload, or undefined if there is none in it. */
export function decodeEvent(payload: Uint8Array): TimedEvent | undefined {
  if (payload.length > 2 * MAX_EVENT_BYTES) return undefined;
  try {
    return eventOf(JSON.parse(decoder.decode(payload)));
  } catch {
    return undefined;
  }
}

/** The event that a value from JSON is, or undefined if it is none. */
export function eventOf(value: unknown): TimedEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, name, time, duration = 0, data = null, raw, splice } = value as Record<string, unknown>;
  if (!isEventId(id) || !isEventName(name)) return undefined;
  if (!isTime(time) || !isTime(duration)) return undefined;
  const cut = spliceOf(splice);
  return {
    id,
    name,
    time,
    duration,
    data,
    ...(raw === true ? { raw } : {}),
    ...(cut === undefined ? {} : { splice: cut }),
  };
}

/** True for a text that can be the id of an event. */
export function isEventId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value);
}

/** True for a text that can be the name of an event: no control characters, no quotes. */
export function isEventName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_EVENT_NAME) return false;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit === 0x22 || (unit >= 0x7f && unit <= 0x9f)) return false;
  }
  return !/\p{Cs}/u.test(value);
}

/** A number for an id, for carriers that have 32 bits for it: FNV-1a. */
export function eventNumber(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** The bytes of hexadecimal digits; undefined for anything else. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function spliceOf(value: unknown): EventSplice | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, section, of } = value as Record<string, unknown>;
  if (kind !== 'out' && kind !== 'in' && kind !== 'command') return undefined;
  if (typeof section !== 'string' || section === '' || bytesOfHex(section) === undefined) return undefined;
  return { kind, section, ...(isEventId(of) ? { of } : {}) };
}
