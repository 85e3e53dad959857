import type { VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';
import { MAX_VIDEO_DIMENSION, within } from './h264-sps.ts';
import { nalLength } from './nal.ts';

/** nal_unit_type values of pictures that start a sequence. ITU-T H.266 Table 5. */
export const VVC_NAL = { idrWithRadl: 7, idrNoLeading: 8, cra: 9 } as const;

const CLAUSE = 'ISO/IEC 14496-15 §11.2.4.2';

/**
 * Track parameters from a VvcDecoderConfigurationRecord that tells profile, tier, level and size; the
 * description is a copy with the NAL length set to 4 bytes.
 * @throws ParseError `CONFIG_MALFORMED`, `SPS_UNSUPPORTED` or `BITS_OUT_OF_RANGE`
 */
export function vvcParameters(record: Uint8Array): VideoParameters {
  const bits = new BitReader(record, CLAUSE);
  bits.skip(5);
  if (bits.u(2) === 2) throw malformed('NAL lengths of 3 bytes');
  if (!bits.flag()) throw malformed('the record tells no profile, tier and level');
  bits.skip(9 + 3 + 2 + 2 + 3 + 5); // ols_idx to bit_depth, reserved
  const sublayers = (record[2]! >> 4) & 7;
  bits.skip(2);
  const constraintBytes = bits.u(6);
  const profileIdc = bits.u(7);
  const tier = bits.flag();
  const levelIdc = bits.u(8);
  bits.skip(2 + Math.max(0, constraintBytes * 8 - 2));
  const present: boolean[] = [];
  for (let i = sublayers - 2; i >= 0; i--) present.push(bits.flag());
  if (sublayers > 1) bits.align();
  for (const has of present) if (has) bits.skip(8); // sublayer_level_idc
  bits.skip(bits.u(8) * 32); // general_sub_profile_idc
  const width = within(bits.u(16), MAX_VIDEO_DIMENSION, 'max_picture_width', CLAUSE);
  const height = within(bits.u(16), MAX_VIDEO_DIMENSION, 'max_picture_height', CLAUSE);
  const frameRate = bits.u(16) / 256;
  const description = record.slice();
  description[0] = description[0]! | 6;
  return {
    kind: 'video',
    codec: 'vvc',
    description,
    codecString: `vvc1.${profileIdc}.${tier ? 'H' : 'L'}${levelIdc}`,
    width,
    height,
    ...(frameRate > 0 ? { frameRate } : {}),
  };
}

/** True for an IDR or CRA picture. @param unit access unit with 4-byte NAL lengths. */
export function isVvcKeyframe(unit: Uint8Array): boolean {
  let key = false;
  for (let at = 0; at < unit.length; ) {
    const size = nalLength(unit, at);
    at += 4;
    if (size > 1) {
      const type = unit[at + 1]! >> 3;
      if (type >= VVC_NAL.idrWithRadl && type <= VVC_NAL.cra) key = true;
    }
    at += size;
  }
  return key;
}

function malformed(what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', CLAUSE, what);
}
