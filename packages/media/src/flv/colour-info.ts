import { Amf0Reader, type AmfObject, type AmfValue, amfObject, amfProperties } from '../amf/index.ts';
import type { Colour } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { scriptBody } from './script.ts';
import type { Tag } from './tag.ts';
import { videoMetadataBody } from './video-message.ts';

/** Name of the metadata that tell the colour. Enhanced RTMP v2, Metadata Frame. */
const COLOUR_INFO = 'colorInfo';
/** ISO/IEC 23091-2: not told. */
const UNSPECIFIED = 2;

/**
 * The colour in the payload of a metadata frame; null where it takes back what was told before, or tells nothing;
 * undefined where it is about something else, or no AMF0.
 */
export function readColourInfo(data: Uint8Array): Colour | null | undefined {
  let config: AmfObject | undefined;
  try {
    const reader = new Amf0Reader(data);
    if (reader.value() !== COLOUR_INFO) return undefined;
    config = amfProperties(amfProperties(reader.done ? undefined : reader.value())?.colorConfig);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
  const primaries = codePoint(config?.colorPrimaries);
  const transfer = codePoint(config?.transferCharacteristics);
  const matrix = codePoint(config?.matrixCoefficients);
  if ([primaries, transfer, matrix].every((one) => one === UNSPECIFIED)) return null;
  // There is no word for the range: that of pictures that are sent is limited.
  return { primaries, transfer, matrix, fullRange: false };
}

/** The tag that tells the colour of a track, without timestamp; undefined if nothing is known, or nobody would read it. */
export function colourTag(track: Track): Pick<Tag, 'type' | 'body'> | undefined {
  const { parameters } = track;
  // H.264 goes out as it did before there was such a thing.
  if (parameters.kind !== 'video' || parameters.colour === undefined || parameters.codec === 'h264')
    return undefined;
  const { primaries, transfer, matrix } = parameters.colour;
  const colorConfig = Object.assign(amfObject(), {
    colorPrimaries: primaries,
    transferCharacteristics: transfer,
    matrixCoefficients: matrix,
  });
  const payload = scriptBody(COLOUR_INFO, [Object.assign(amfObject(), { colorConfig })]);
  return { type: 'video', body: videoMetadataBody(parameters.codec, payload, (track.id - 1) >> 1) };
}

/** ISO/IEC 23091-2 has 8 bits for each. */
function codePoint(value: AmfValue | undefined): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
    ? value
    : UNSPECIFIED;
}
