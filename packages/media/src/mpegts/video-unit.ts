import {
  H264_NAL,
  HEVC_NAL,
  h264NalType,
  hevcNalType,
  nalLength,
  parseAvcConfig,
  parseHevcConfig,
} from '../bitstream/index.ts';
import type { VideoParameters } from '../model/codec.ts';

/** Access unit delimiter for any slice type, with its start code. ITU-T H.264 §7.3.2.4, H.265 §7.3.2.5. */
const DELIMITER = {
  h264: Uint8Array.of(0, 0, 0, 1, 0x09, 0xf0),
  hevc: Uint8Array.of(0, 0, 0, 1, 0x46, 0x01, 0x50),
} as const;

/** What a byte stream needs of a video track beside its samples. */
export interface VideoFraming {
  readonly delimiter: Uint8Array;
  /** NAL unit type that is left out of samples, as the delimiter is written in front. */
  readonly delimiterType: number;
  readonly typeOf: (header: number) => number;
  /** Types of which a keyframe must have one of each. */
  readonly setTypes: readonly number[];
  /** Parameter sets of the track with start codes. */
  readonly sets: Uint8Array;
}

/** The framing of H.264 and HEVC. @throws ParseError `CONFIG_MALFORMED` if the track's description is damaged. */
export function videoFraming(parameters: VideoParameters): VideoFraming | undefined {
  if (parameters.codec === 'h264') {
    const { sps, pps } = parseAvcConfig(parameters.description);
    return {
      delimiter: DELIMITER.h264,
      delimiterType: H264_NAL.aud,
      typeOf: h264NalType,
      setTypes: [H264_NAL.sps, H264_NAL.pps],
      sets: startCoded([...sps, ...pps]),
    };
  }
  if (parameters.codec === 'hevc') {
    const { arrays } = parseHevcConfig(parameters.description);
    const setTypes = [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps];
    return {
      delimiter: DELIMITER.hevc,
      delimiterType: HEVC_NAL.aud,
      typeOf: hevcNalType,
      setTypes,
      sets: startCoded(
        setTypes.flatMap((type) => arrays.filter((a) => a.type === type).flatMap((a) => a.nals)),
      ),
    };
  }
  return undefined;
}

/** Bytes that {@link putVideoUnit} writes. @param unit 4-byte NAL lengths. @throws ParseError `NAL_MALFORMED` */
export function videoUnitBytes(framing: VideoFraming, unit: Uint8Array, keyframe: boolean): number {
  let bytes = framing.delimiter.length;
  if (keyframe && !hasSets(framing, unit)) bytes += framing.sets.length;
  for (let at = 0; at < unit.length; ) {
    const size = nalLength(unit, at);
    if (!isLeftOut(framing, unit, at, size)) bytes += 4 + size;
    at += 4 + size;
  }
  return bytes;
}

/**
 * Writes an access unit as a byte stream (ITU-T H.264 Annex B): delimiter, at keyframes the parameter sets that
 * it lacks, then its NAL units behind start codes of 4 bytes, which is as long as the lengths they replace.
 * @param unit 4-byte NAL lengths. @returns position behind what was written.
 * @throws ParseError `NAL_MALFORMED`
 */
export function putVideoUnit(
  target: Uint8Array,
  at: number,
  framing: VideoFraming,
  unit: Uint8Array,
  keyframe: boolean,
): number {
  target.set(framing.delimiter, at);
  at += framing.delimiter.length;
  if (keyframe && !hasSets(framing, unit)) {
    target.set(framing.sets, at);
    at += framing.sets.length;
  }
  // The whole unit at once, then the lengths become start codes; NAL units that are left out close up.
  for (let from = 0; from < unit.length; ) {
    const run = runOf(framing, unit, from);
    if (run.end > from) target.set(unit.subarray(from, run.end), at);
    for (let mark = from; mark < run.end; ) {
      const size = nalLength(unit, mark);
      target[at] = 0;
      target[at + 1] = 0;
      target[at + 2] = 0;
      target[at + 3] = 1;
      at += 4 + size;
      mark += 4 + size;
    }
    from = run.next;
  }
  return at;
}

/** NAL units from `from` on that are kept, up to one that is left out: a delimiter or an empty one. */
function runOf(framing: VideoFraming, unit: Uint8Array, from: number): { end: number; next: number } {
  let at = from;
  while (at < unit.length) {
    const size = nalLength(unit, at);
    const next = at + 4 + size;
    if (isLeftOut(framing, unit, at, size)) return { end: at, next };
    at = next;
  }
  return { end: at, next: at };
}

function isLeftOut(framing: VideoFraming, unit: Uint8Array, at: number, size: number): boolean {
  return size === 0 || framing.typeOf(unit[at + 4]!) === framing.delimiterType;
}

function hasSets({ typeOf, setTypes }: VideoFraming, unit: Uint8Array): boolean {
  let found = 0;
  for (let at = 0; at < unit.length; ) {
    const size = nalLength(unit, at);
    const index = size === 0 ? -1 : setTypes.indexOf(typeOf(unit[at + 4]!));
    if (index >= 0) found |= 1 << index;
    at += 4 + size;
  }
  return found === (1 << setTypes.length) - 1;
}

function startCoded(nals: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const nal of nals) length += 4 + nal.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const nal of nals) {
    out[at + 3] = 1;
    out.set(nal, at + 4);
    at += 4 + nal.length;
  }
  return out;
}
