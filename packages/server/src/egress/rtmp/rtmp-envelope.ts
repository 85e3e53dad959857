import { concatBytes } from '@onair/media/bytes';
import { encodedLength, RTMP_SHARED_CHUNK_SIZE, RTMP_SHARED_STREAM_ID } from '@onair/media/rtmp';
import { type Envelope, plainEnvelope } from '../../hub/index.ts';

const SHARED = plainEnvelope('rtmp');
const OTHERS = new Map<number, Envelope<Uint8Array>>();

/**
 * The envelope for players on a message stream. Nearly all of them are on stream 1, which the log is made
 * for; the others share one copy per batch and id with the id put in.
 */
export function rtmpEnvelope(streamId: number): Envelope<Uint8Array> {
  if (streamId === RTMP_SHARED_STREAM_ID) return SHARED;
  let envelope = OTHERS.get(streamId);
  if (envelope === undefined) {
    envelope = {
      name: `rtmp-${streamId}`,
      opening: SHARED.opening,
      config: (epoch) => onStream(Uint8Array.from(epoch.config), streamId),
      batch: (blocks) => onStream(concatBytes(blocks.map((block) => block.bytes)), streamId),
    };
    OTHERS.set(streamId, envelope);
  }
  return envelope;
}

/**
 * Writes the message stream id into each message of `bytes`, which are shared messages one after the other:
 * type 0 headers of 12 bytes, the id in the last four, little-endian (RTMP 1.0 §5.3.1.2.1).
 */
function onStream(bytes: Uint8Array, streamId: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 12 <= bytes.length; ) {
    const time = view.getUint32(at) & 0xff_ffff;
    const length = view.getUint32(at + 3) & 0xff_ffff;
    view.setUint32(at + 8, streamId, true);
    at += encodedLength(length, time, RTMP_SHARED_CHUNK_SIZE);
  }
  return bytes;
}
