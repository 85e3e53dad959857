import { Amf0Reader, type AmfObject, type AmfValue, amfObject, amfProperties } from '../amf/index.ts';
import type { Colour, MasteringDisplay } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { Track } from '../model/sample.ts';
import { scriptBody } from './script.ts';
import type { Tag } from './tag.ts';
import { videoMetadataBody } from './video-message.ts';

/** Name of the metadata that tell the colour. Enhanced RTMP v2, Metadata Frame. */
const COLOUR_INFO = 'colorInfo';
/** ISO/IEC 23091-2: not told. */
const UNSPECIFIED = 2;
/** Properties of `hdrMdcv`, in the order of {@link masteringOf}. */
const DISPLAY = [
  'redX',
  'redY',
  'greenX',
  'greenY',
  'blueX',
  'blueY',
  'whitePointX',
  'whitePointY',
  'maxLuminance',
  'minLuminance',
] as const;

/**
 * The colour in the payload of a metadata frame; null where it takes back what was told before, or tells nothing;
 * undefined where it is about something else, or no AMF0.
 */
export function readColourInfo(data: Uint8Array): Colour | null | undefined {
  let told: AmfObject | undefined;
  try {
    const reader = new Amf0Reader(data);
    if (reader.value() !== COLOUR_INFO) return undefined;
    told = amfProperties(reader.done ? undefined : reader.value());
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
  const config = amfProperties(told?.colorConfig);
  const primaries = codePoint(config?.colorPrimaries);
  const transfer = codePoint(config?.transferCharacteristics);
  const matrix = codePoint(config?.matrixCoefficients);
  if ([primaries, transfer, matrix].every((one) => one === UNSPECIFIED)) return null;
  const light = numbersOf(told?.hdrCll, ['maxCLL', 'maxFall']);
  const display = numbersOf(told?.hdrMdcv, DISPLAY);
  return {
    primaries,
    transfer,
    matrix,
    // There is no word for the range: that of pictures that are sent is limited.
    fullRange: false,
    ...(light === undefined ? {} : { light: { maxContent: light[0]!, maxFrameAverage: light[1]! } }),
    ...(display === undefined ? {} : { mastering: masteringOf(display) }),
  };
}

/** The tag that tells the colour of a track, without timestamp; undefined if nothing is known, or nobody would read it. */
export function colourTag(track: Track): Pick<Tag, 'type' | 'body'> | undefined {
  const { parameters } = track;
  // H.264 goes out as it did before there was such a thing.
  if (parameters.kind !== 'video' || parameters.colour === undefined || parameters.codec === 'h264')
    return undefined;
  const { primaries, transfer, matrix, light, mastering } = parameters.colour;
  const colorConfig = Object.assign(amfObject(), {
    colorPrimaries: primaries,
    transferCharacteristics: transfer,
    matrixCoefficients: matrix,
  });
  const info = Object.assign(amfObject(), { colorConfig });
  if (light !== undefined) {
    const { maxContent: maxCLL, maxFrameAverage: maxFall } = light;
    info.hdrCll = Object.assign(amfObject(), { maxFall, maxCLL });
  }
  if (mastering !== undefined) {
    const { red, green, blue, white, maxLuminance, minLuminance } = mastering;
    const values = [...red, ...green, ...blue, ...white, maxLuminance, minLuminance];
    info.hdrMdcv = Object.assign(
      amfObject(),
      Object.fromEntries(DISPLAY.map((name, i) => [name, values[i]!])),
    );
  }
  const payload = scriptBody(COLOUR_INFO, [info]);
  return { type: 'video', body: videoMetadataBody(parameters.codec, payload, (track.id - 1) >> 1) };
}

function masteringOf(values: readonly number[]): MasteringDisplay {
  const [rx = 0, ry = 0, gx = 0, gy = 0, bx = 0, by = 0, wx = 0, wy = 0, max = 0, min = 0] = values;
  return {
    red: [rx, ry],
    green: [gx, gy],
    blue: [bx, by],
    white: [wx, wy],
    maxLuminance: max,
    minLuminance: min,
  };
}

/** These properties of an object; undefined if one of them is missing, or is no number that can be meant. */
function numbersOf(value: AmfValue | undefined, names: readonly string[]): number[] | undefined {
  const properties = amfProperties(value);
  const found = names.map((name) => properties?.[name]);
  return found.every((one): one is number => typeof one === 'number' && one >= 0 && one < 1e6)
    ? found
    : undefined;
}

/** ISO/IEC 23091-2 has 8 bits for each. */
function codePoint(value: AmfValue | undefined): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
    ? value
    : UNSPECIFIED;
}
