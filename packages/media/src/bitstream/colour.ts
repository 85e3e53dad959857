import type { Colour, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { findAv1Sequence, parseAv1Config } from './av1.ts';
import { parseAvcConfig } from './h264-config.ts';
import { parseH264Sps } from './h264-sps.ts';
import { HEVC_NAL, parseHevcConfig } from './hevc.ts';
import { parseHevcSps } from './hevc-sps.ts';
import { parseVpConfig } from './vp9.ts';

/**
 * The colour of pictures: as the publisher tells it, else as their record does (ITU-T H.264 §E.2.1, H.265 §E.3.1, AV1
 * §6.4.2, VP Codec ISO Media File Format Binding). Undefined if nobody tells.
 */
export function colourOf({ codec, description, colour }: VideoParameters): Colour | undefined {
  if (colour !== undefined) return colour;
  try {
    switch (codec) {
      case 'h264':
        return parseH264Sps(parseAvcConfig(description).sps[0]!).colour;
      case 'hevc':
        return hevcColour(description);
      case 'av1':
        return findAv1Sequence(parseAv1Config(description).configObus)?.colour;
      case 'vp9':
        return vp9Colour(description);
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function hevcColour(record: Uint8Array): Colour | undefined {
  const sps = parseHevcConfig(record).arrays.find(({ type }) => type === HEVC_NAL.sps)?.nals[0];
  return sps === undefined ? undefined : parseHevcSps(sps).colour;
}

function vp9Colour(record: Uint8Array): Colour {
  const { colourPrimaries, transferCharacteristics, matrixCoefficients, fullRange } = parseVpConfig(record);
  return {
    primaries: colourPrimaries,
    transfer: transferCharacteristics,
    matrix: matrixCoefficients,
    fullRange,
  };
}
