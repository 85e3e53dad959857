import { ByteReader } from '../bytes/index.ts';

/** Seconds from 1900-01-01 (NTP) to 1970-01-01 (Unix). RFC 5905 §6. */
const NTP_EPOCH_OFFSET = 2_208_988_800;
/** Flags: the time is when the frame was captured. ISO/IEC 14496-12 §8.16.5.3. */
export const PRFT_CAPTURED = 24;
/** Bytes of a version 1 box. */
export const PRFT_SIZE = 32;

/** Content of `prft`: the wall clock at the producer that belongs to a media time. ISO/IEC 14496-12 §8.16.5. */
export interface ProducerReferenceTime {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
  /** Ticks of the track. */
  readonly mediaTime: number;
  /** What the wall clock means, default {@link PRFT_CAPTURED}. */
  readonly flags?: number;
}

/** Writes a version 1 `prft` at `at` of `view` and returns the offset behind it. */
export function putProducerReferenceTime(
  view: DataView,
  at: number,
  trackId: number,
  value: ProducerReferenceTime,
): number {
  const seconds = Math.floor(value.wallMs / 1000);
  const fraction = Math.round(((value.wallMs - seconds * 1000) / 1000) * 0x1_0000_0000);
  view.setUint32(at, PRFT_SIZE);
  view.setUint32(at + 4, 0x70726674); // prft
  view.setUint32(at + 8, 0x0100_0000 | (value.flags ?? PRFT_CAPTURED));
  view.setUint32(at + 12, trackId);
  view.setUint32(at + 16, (seconds + NTP_EPOCH_OFFSET) >>> 0);
  view.setUint32(at + 20, Math.min(fraction, 0xffffffff));
  view.setUint32(at + 24, Math.floor(value.mediaTime / 0x1_0000_0000));
  view.setUint32(at + 28, value.mediaTime >>> 0);
  return at + PRFT_SIZE;
}

/** Reads the body of `prft`, version 0 or 1. */
export function readProducerReferenceTime(body: Uint8Array): Required<ProducerReferenceTime> {
  const r = new ByteReader(body, 'ISO/IEC 14496-12 §8.16.5');
  const version = r.u8();
  const flags = r.u24();
  r.skip(4);
  const seconds = r.u32() - NTP_EPOCH_OFFSET;
  const fraction = r.u32() / 0x1_0000_0000;
  const mediaTime = version === 0 ? r.u32() : r.u64();
  return { wallMs: (seconds + fraction) * 1000, mediaTime, flags };
}
