import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';

const CLAUSE = 'RFC 6386 §9.1';
const START_CODE = [0x9d, 0x01, 0x2a] as const;

/** True for a key frame. @param unit one frame. */
export function isVp8Keyframe(unit: Uint8Array): boolean {
  return unit.length > 0 && (unit[0]! & 1) === 0;
}

/**
 * Track parameters from a key frame; undefined for any other frame. Codec string is `vp8`, as WebM has it.
 * @throws ParseError `FRAME_MALFORMED`
 */
export function vp8Parameters(unit: Uint8Array): VideoParameters | undefined {
  if (!isVp8Keyframe(unit)) return undefined;
  if (unit.length < 10 || !START_CODE.every((byte, i) => unit[3 + i] === byte)) {
    throw new ParseError('FRAME_MALFORMED', CLAUSE, 'a key frame without start code', 3);
  }
  // 14 bits of size each, above them 2 bits of scaling that decoders do not apply
  const width = (unit[6]! | (unit[7]! << 8)) & 0x3fff;
  const height = (unit[8]! | (unit[9]! << 8)) & 0x3fff;
  if (width === 0 || height === 0) {
    throw new ParseError('FRAME_MALFORMED', CLAUSE, `a picture of ${width}x${height} pixels`, 6);
  }
  return { kind: 'video', codec: 'vp8', description: new Uint8Array(0), codecString: 'vp8', width, height };
}
