import type { VideoParameters } from '../model/codec.ts';
import { H264_NAL, h264NalType } from './h264.ts';
import { buildAvcConfig } from './h264-config.ts';
import { buildHevcConfig, HEVC_NAL, hevcNalType } from './hevc.ts';
import { joinLengthPrefixed, splitAnnexB } from './nal.ts';
import { isKeyframe, videoParameters } from './parameters.ts';

/** Most parameter sets of one type that are kept; a record has room for 31. */
const MAX_SETS = 31;

/** What one access unit with its parameter sets inside brings. */
export interface VideoUnit {
  /** Parameters that begin with this unit; undefined where they stay what they were. */
  readonly parameters: VideoParameters | undefined;
  readonly keyframe: boolean;
  /** NAL units behind 4-byte lengths, without delimiters and parameter sets; empty if there is nothing else. */
  readonly data: Uint8Array;
}

interface Rules {
  readonly typeOf: (header: number) => number;
  readonly delimiter: number;
  /** Types of parameter sets in the order in which they refer to one another, last to first. */
  readonly sets: readonly number[];
  readonly build: (sets: readonly (readonly Uint8Array[])[]) => Uint8Array;
}

const RULES: Readonly<Record<'h264' | 'hevc', Rules>> = {
  h264: {
    typeOf: h264NalType,
    delimiter: H264_NAL.aud,
    sets: [H264_NAL.sps, H264_NAL.pps],
    build: ([sps, pps]) => buildAvcConfig(sps!, pps!),
  },
  hevc: {
    typeOf: hevcNalType,
    delimiter: HEVC_NAL.aud,
    sets: [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps],
    build: ([vps, sps, pps]) => buildHevcConfig(vps!, sps!, pps!),
  },
};

/** Turns access units with their parameter sets inside into canonical framing; the sets go into the parameters. */
export class VideoIntake {
  readonly #codec: 'h264' | 'hevc';
  readonly #rules: Rules;
  #record: Uint8Array | undefined;

  constructor(codec: 'h264' | 'hevc') {
    this.#codec = codec;
    this.#rules = RULES[codec];
  }

  /**
   * Takes one access unit of a byte stream (ITU-T H.264 Annex B).
   * @throws ParseError `NAL_MALFORMED`, `CONFIG_MALFORMED`, `SPS_UNSUPPORTED`, or out of range.
   */
  read(unit: Uint8Array): VideoUnit {
    return this.readNals(splitAnnexB(unit));
  }

  /** Takes the NAL units of one access unit; otherwise like `read`. */
  readNals(nals: readonly Uint8Array[]): VideoUnit {
    const { typeOf, delimiter, sets } = this.#rules;
    const found: Uint8Array[][] = sets.map(() => []);
    const rest: Uint8Array[] = [];
    for (const nal of nals) {
      const type = typeOf(nal[0]!);
      const kind = sets.indexOf(type);
      if (kind < 0) {
        if (type !== delimiter) rest.push(nal);
      } else if (found[kind]!.length < MAX_SETS && !found[kind]!.some((known) => same(known, nal))) {
        found[kind]!.push(nal);
      }
    }
    const data = joinLengthPrefixed(rest);
    return { parameters: this.#parameters(found), keyframe: isKeyframe(this.#codec, data), data };
  }

  #parameters(found: readonly (readonly Uint8Array[])[]): VideoParameters | undefined {
    // A unit that brings some of them only, such as another PPS, leaves the record as it is.
    if (found.some((sets) => sets.length === 0)) return undefined;
    const record = this.#rules.build(found);
    if (this.#record !== undefined && same(record, this.#record)) return undefined;
    const parameters = videoParameters(this.#codec, record);
    this.#record = record;
    return parameters;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
