import type { Colour } from '../model/codec.ts';
import { BitReader } from './bit-reader.ts';
import { MAX_FRAME_RATE, MAX_VIDEO_DIMENSION, within } from './h264-sps.ts';

/** What a sequence header OBU tells. AV1 §5.5. */
export interface Av1Sequence {
  readonly profile: number;
  readonly levelIdx: number;
  readonly tier: number;
  readonly bitDepth: 8 | 10 | 12;
  readonly monochrome: boolean;
  readonly subsamplingX: boolean;
  readonly subsamplingY: boolean;
  readonly chromaSamplePosition: number;
  /** Largest frame size of the sequence in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames per second, if timing is told with equal intervals. */
  readonly frameRate?: number;
  /** If told. */
  readonly colour?: Colour;
}

const CLAUSE = 'AV1 §5.5';

/**
 * Reads the payload of a sequence header OBU.
 * @throws ParseError `SPS_UNSUPPORTED` above 8192 pixels, `BITS_OUT_OF_RANGE` if it is cut off.
 */
export function parseAv1Sequence(payload: Uint8Array): Av1Sequence {
  const bits = new BitReader(payload, CLAUSE);
  const profile = within(bits.u(3), 2, 'seq_profile', CLAUSE);
  bits.skip(1); // still_picture
  const reduced = bits.flag();
  const { levelIdx, tier, frameRate } = reduced
    ? { levelIdx: bits.u(5), tier: 0 }
    : readOperatingPoints(bits);
  const widthBits = bits.u(4) + 1;
  const heightBits = bits.u(4) + 1;
  const width = within(bits.u(widthBits) + 1, MAX_VIDEO_DIMENSION, 'max_frame_width', CLAUSE);
  const height = within(bits.u(heightBits) + 1, MAX_VIDEO_DIMENSION, 'max_frame_height', CLAUSE);
  if (!reduced && bits.flag()) bits.skip(7); // frame id lengths
  bits.skip(3); // superblock size, filter intra, intra edge filter
  if (!reduced) skipTools(bits);
  bits.skip(3); // superres, cdef, restoration
  return { profile, levelIdx, tier, ...readColor(bits, profile), width, height, ...frameRate };
}

/** The first operating point is the whole stream: its level counts. */
function readOperatingPoints(bits: BitReader): {
  levelIdx: number;
  tier: number;
  frameRate?: { frameRate: number };
} {
  let frameRate: { frameRate: number } | undefined;
  let delayBits = 0;
  if (bits.flag()) {
    frameRate = readTiming(bits);
    if (bits.flag()) {
      delayBits = bits.u(5) + 1;
      bits.skip(32 + 5 + 5);
    }
  }
  const displayDelay = bits.flag();
  const points = bits.u(5) + 1;
  let levelIdx = 0;
  let tier = 0;
  for (let i = 0; i < points; i++) {
    bits.skip(12); // operating_point_idc
    const level = bits.u(5);
    const high = level > 7 ? bits.u(1) : 0;
    if (i === 0) [levelIdx, tier] = [level, high];
    if (delayBits > 0 && bits.flag()) bits.skip(2 * delayBits + 1);
    if (displayDelay && bits.flag()) bits.skip(4);
  }
  return { levelIdx, tier, ...(frameRate === undefined ? {} : { frameRate }) };
}

/** timing_info(), §5.5.3. */
function readTiming(bits: BitReader): { frameRate: number } | undefined {
  const unitsInTick = bits.u(32);
  const timeScale = bits.u(32);
  if (!bits.flag()) return undefined;
  const frameRate = timeScale / (unitsInTick * (bits.ue() + 1));
  return frameRate > 0 && frameRate <= MAX_FRAME_RATE ? { frameRate } : undefined;
}

function skipTools(bits: BitReader): void {
  bits.skip(4); // interintra, masked compound, warped motion, dual filter
  const orderHint = bits.flag();
  if (orderHint) bits.skip(2);
  const screenContent = bits.flag() || bits.flag();
  if (screenContent && !bits.flag()) bits.skip(1); // seq_force_integer_mv
  if (orderHint) bits.skip(3);
}

type Color = Pick<
  Av1Sequence,
  'bitDepth' | 'monochrome' | 'subsamplingX' | 'subsamplingY' | 'chromaSamplePosition' | 'colour'
>;

/** color_config(), §5.5.2. */
function readColor(bits: BitReader, profile: number): Color {
  const high = bits.flag();
  const bitDepth = profile === 2 && high ? (bits.flag() ? 12 : 10) : high ? 10 : 8;
  const monochrome = profile !== 1 && bits.flag();
  const told = bits.flag()
    ? { primaries: bits.u(8), transfer: bits.u(8), matrix: bits.u(8), fullRange: true }
    : undefined;
  const identity = told !== undefined && isSrgb(told);
  // Pictures of identity are of full range without saying so.
  const fullRange = !monochrome && identity ? true : bits.flag();
  const common: Pick<Color, 'bitDepth' | 'monochrome' | 'colour'> = {
    bitDepth,
    monochrome,
    ...(told === undefined ? {} : { colour: { ...told, fullRange } }),
  };
  if (monochrome) return { ...common, subsamplingX: true, subsamplingY: true, chromaSamplePosition: 0 };
  if (identity) return { ...common, subsamplingX: false, subsamplingY: false, chromaSamplePosition: 0 };
  let subsamplingX = profile !== 1;
  let subsamplingY = profile === 0;
  if (profile === 2 && bitDepth === 12) {
    subsamplingX = bits.flag();
    subsamplingY = subsamplingX && bits.flag();
  }
  const chromaSamplePosition = subsamplingX && subsamplingY ? bits.u(2) : 0;
  return { ...common, subsamplingX, subsamplingY, chromaSamplePosition };
}

function isSrgb({ primaries, transfer, matrix }: Colour): boolean {
  return primaries === 1 && transfer === 13 && matrix === 0;
}
