import { concatBytes } from '@onair/media/bytes';
import { configTag } from '@onair/media/flv';
import { encodedLength, RTMP_SHARED_CHUNK_SIZE, RTMP_SHARED_STREAM_ID } from '@onair/media/rtmp';
import { type Envelope, type LogEpoch, plainEnvelope } from '../../hub/index.ts';
import { RTMP_MESSAGES } from '../../packager/tags/index.ts';

const SHARED = plainEnvelope('rtmp');
const OTHERS = new Map<string, Envelope<Uint8Array>>();

/** For players that know multitrack of Enhanced RTMP: the set-up of every track. */
const MULTITRACK: Envelope<Uint8Array> = { ...SHARED, name: 'rtmp-multitrack', config: everyConfig };

/**
 * The envelope for players on a message stream. Nearly all of them are on stream 1, which the log is made
 * for; the others share one copy per batch and id with the id put in.
 * @param multitrack whether the player takes more than one track of a kind.
 */
export function rtmpEnvelope(streamId: number, multitrack = false): Envelope<Uint8Array> {
  const inner = multitrack ? MULTITRACK : SHARED;
  if (streamId === RTMP_SHARED_STREAM_ID) return inner;
  const name = `${inner.name}-${streamId}`;
  let envelope = OTHERS.get(name);
  if (envelope === undefined) {
    envelope = {
      name,
      opening: inner.opening,
      config: (epoch) => onStream(Uint8Array.from(inner.config(epoch)), streamId),
      batch: (blocks) => onStream(concatBytes(blocks.map((block) => block.bytes)), streamId),
    };
    OTHERS.set(name, envelope);
  }
  return envelope;
}

/** The set-up of the default tracks as in the log, and that of the others behind it with the same time. */
function everyConfig({ config, tracks }: LogEpoch<Uint8Array>): Uint8Array {
  const view = new DataView(config.buffer, config.byteOffset, config.length);
  const short = view.getUint32(0) & 0xff_ffff;
  const timestampMs = short === 0xff_ffff ? view.getUint32(12) : short;
  const parts = [config];
  const seen = new Set<string>();
  for (const track of tracks) {
    const { kind } = track.parameters;
    const tag = seen.has(kind) ? configTag(track) : undefined;
    seen.add(kind);
    if (tag !== undefined) parts.push(RTMP_MESSAGES.body(tag.type, timestampMs, tag.body));
  }
  return parts.length === 1 ? config : concatBytes(parts);
}

/**
 * Writes the message stream id into each message of `bytes`, which are shared messages one after the other:
 * type 0 headers of 12 bytes, the id in the last four, little-endian (RTMP 1.0 §5.3.1.2.1).
 */
export function onStream(bytes: Uint8Array, streamId: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 12 <= bytes.length; ) {
    const time = view.getUint32(at) & 0xff_ffff;
    const length = view.getUint32(at + 3) & 0xff_ffff;
    view.setUint32(at + 8, streamId, true);
    at += encodedLength(length, time, RTMP_SHARED_CHUNK_SIZE);
  }
  return bytes;
}
