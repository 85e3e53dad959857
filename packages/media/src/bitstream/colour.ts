import type { Colour, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { parseAvcConfig } from './h264-config.ts';
import { parseH264Sps } from './h264-sps.ts';
import { HEVC_NAL, parseHevcConfig } from './hevc.ts';
import { parseHevcSps } from './hevc-sps.ts';

/**
 * The colour of pictures: as the publisher tells it, else as the parameter set in the record of H.264 or HEVC does
 * (ITU-T H.264 §E.2.1, H.265 §E.3.1). Undefined if nobody tells.
 */
export function colourOf({ codec, description, colour }: VideoParameters): Colour | undefined {
  if (colour !== undefined) return colour;
  try {
    if (codec === 'h264') return parseH264Sps(parseAvcConfig(description).sps[0]!).colour;
    return codec === 'hevc' ? hevcColour(description) : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function hevcColour(record: Uint8Array): Colour | undefined {
  const sps = parseHevcConfig(record).arrays.find(({ type }) => type === HEVC_NAL.sps)?.nals[0];
  return sps === undefined ? undefined : parseHevcSps(sps).colour;
}
