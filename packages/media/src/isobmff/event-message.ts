import { ByteReader, ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { writeFullBox } from './box-writer.ts';

const CLAUSE = 'ISO/IEC 23009-1 §5.10.3.3';
/** Longest scheme or value, in bytes with the terminating zero. */
const MAX_TEXT = 1024;

/** Content of `emsg` version 1: a timed event on the track's own timeline. ISO/IEC 23009-1 §5.10.3.3. */
export interface EventMessage {
  /** URI that says what `value` and `data` mean. */
  readonly scheme: string;
  readonly value: string;
  /** Ticks per second of the two times below. */
  readonly timescale: number;
  readonly presentationTime: number;
  /** 0xffffffff if unknown. */
  readonly duration: number;
  /** Equal for repetitions of one event. */
  readonly id: number;
  readonly data: Uint8Array;
}

/** The `emsg` box of `event`, version 1. */
export function eventMessage(event: EventMessage): Uint8Array {
  const w = new ByteWriter(64 + event.scheme.length + event.value.length + event.data.length);
  writeFullBox(w, 'emsg', 1, 0, () => {
    w.u32(event.timescale).u64(event.presentationTime).u32(event.duration).u32(event.id);
    w.utf8(event.scheme.replaceAll('\0', '')).u8(0);
    w.utf8(event.value.replaceAll('\0', '')).u8(0);
    w.bytes(event.data);
  });
  return w.finish();
}

/**
 * Reads the body of `emsg`, version 0 or 1. Version 0 counts from the segment's first sample,
 * given as `base` in ticks of `baseTimescale`.
 */
export function readEventMessage(body: Uint8Array, base = 0, baseTimescale = 1): EventMessage {
  const r = new ByteReader(body, CLAUSE);
  const version = r.u8();
  r.skip(3);
  if (version === 0) {
    const scheme = readText(r, body);
    const value = readText(r, body);
    const timescale = nonZero(r.u32());
    const presentationTime = Math.round((base / baseTimescale) * timescale) + r.u32();
    return { scheme, value, timescale, presentationTime, duration: r.u32(), id: r.u32(), data: r.rest() };
  }
  const timescale = nonZero(r.u32());
  const presentationTime = r.u64();
  const duration = r.u32();
  const id = r.u32();
  const scheme = readText(r, body);
  const value = readText(r, body);
  return { scheme, value, timescale, presentationTime, duration, id, data: r.rest() };
}

function nonZero(timescale: number): number {
  if (timescale === 0) throw new ParseError('MP4_VALUE', CLAUSE, 'timescale is 0');
  return timescale;
}

function readText(r: ByteReader, body: Uint8Array): string {
  const end = body.indexOf(0, r.position);
  if (end < 0 || end - r.position >= MAX_TEXT) {
    throw new ParseError('MP4_VALUE', CLAUSE, `text without an end within ${MAX_TEXT} bytes`, r.position);
  }
  const text = r.utf8(end - r.position);
  r.skip(1);
  return text;
}
