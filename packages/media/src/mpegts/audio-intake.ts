import {
  ADTS_HEADER_BYTES,
  aacParameters,
  ac3FrameBytes,
  ac3Parameters,
  eac3UnitBytes,
  mp3Parameters,
  parseAdtsHeader,
  parseMp3Header,
  writeAacConfig,
} from '../bitstream/index.ts';
import { type AudioParameters, sameParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { SYSTEM_TIMEBASE } from './clock.ts';

/** Times are not believed to be finer than this, in ticks of 90 kHz: 2 ms, since many muxers round to one. */
const JITTER = 180;
/** Largest content of a PES packet that is looked through; 0.7 s at 320 kbit/s, which is what muxers gather, has 28 kB. */
const MAX_PACKET = 262_144;
/** Places in one packet that may look like a header and be none. */
const MAX_FALSE_HEADERS = 256;
/** Bytes that may wait for the rest of their frame; the longest ADTS frame has 8191, one of Enhanced AC-3 4096. */
const MAX_REST = 8_192;

/** One frame of audio. */
export interface AudioFrame {
  /** Parameters that begin with this frame; undefined where they stay what they were. */
  readonly parameters: AudioParameters | undefined;
  /** Ticks of the sampling rate. */
  readonly time: number;
  readonly duration: number;
  readonly data: Uint8Array;
}

interface Found {
  /** Bytes of the frame, header included. */
  readonly bytes: number;
  /** Bytes of the header that is taken off. */
  readonly header: number;
  readonly parameters: () => AudioParameters;
}

/** How the frames of a codec are found. */
interface Framing {
  readonly find: (data: Uint8Array, at: number) => Found;
  /** Bytes that tell where a frame ends. */
  readonly shortest: number;
  /** First byte of every frame. */
  readonly mark: number;
}

/** Codecs whose frames are found by {@link AudioIntake}. */
export type FramedAudio = 'aac' | 'mp3' | 'ac3' | 'eac3';

const FRAMING: Readonly<Record<FramedAudio, Framing>> = {
  aac: { find: findAdts, shortest: ADTS_HEADER_BYTES, mark: 0xff },
  mp3: { find: findMp3, shortest: 4, mark: 0xff },
  ac3: { find: findAc3, shortest: 8, mark: 0x0b },
  eac3: { find: findEac3, shortest: 8, mark: 0x0b },
};

/** Finds the frames of ADTS, MPEG audio or AC-3, which may lie across PES packets, and counts their times. */
export class AudioIntake {
  readonly #framing: Framing;
  #rest = new Uint8Array(0);
  /** Time of the frame that `#rest` begins, if its packet told one. */
  #restPts: number | undefined;
  #parameters: AudioParameters | undefined;
  /** Ticks of the sampling rate at which the next frame begins. */
  #next: number | undefined;

  constructor(codec: FramedAudio) {
    this.#framing = FRAMING[codec];
  }

  /**
   * Takes the content of one PES packet.
   * @param pts 90 kHz, unwrapped: time of the first frame that begins in it.
   * @returns its frames, and whether bytes between them had to be passed over.
   * @throws ParseError `TS_LIMIT`
   */
  read(
    data: Uint8Array,
    pts: number | undefined,
  ): { readonly frames: AudioFrame[]; readonly skipped: boolean } {
    if (data.length > MAX_PACKET) {
      this.lost();
      throw new ParseError(
        'TS_LIMIT',
        'ISO/IEC 13818-1 §2.4.3.7',
        `${data.length} bytes of audio in a packet`,
      );
    }
    const before = this.#rest.length;
    const bytes = new Uint8Array(before + data.length);
    bytes.set(this.#rest);
    bytes.set(data, before);
    const frames: AudioFrame[] = [];
    let pending = pts;
    let skipped = false;
    let wrong = 0;
    let at = 0;
    const { shortest, mark } = this.#framing;
    while (at + shortest <= bytes.length) {
      const found = this.#at(bytes, at);
      if (found === undefined) {
        skipped = true;
        // Each place that looks like a header costs more than its byte.
        if (bytes[at] === mark && ++wrong > MAX_FALSE_HEADERS) at = bytes.length;
        else at = nextMark(bytes, at + 1, mark);
        continue;
      }
      if (at + found.bytes > bytes.length) break;
      const anchor = this.#anchor(at, before, pending);
      if (at >= before) pending = undefined;
      const frame = this.#frame(bytes.subarray(at + found.header, at + found.bytes), found, anchor);
      if (frame !== undefined) frames.push(frame);
      at += found.bytes;
    }
    // A frame that begins in the packet after the first has no time of its own.
    this.#restPts = at >= before ? pending : this.#restPts;
    this.#rest = bytes.slice(Math.max(at, bytes.length - MAX_REST));
    return { frames, skipped };
  }

  /** What was begun cannot be finished. */
  lost(): void {
    this.#rest = new Uint8Array(0);
    this.#restPts = undefined;
    this.#next = undefined;
  }

  #anchor(at: number, before: number, pending: number | undefined): number | undefined {
    if (at >= before) return pending;
    const told = this.#restPts;
    this.#restPts = undefined;
    return told;
  }

  #at(bytes: Uint8Array, at: number): Found | undefined {
    const { find, mark } = this.#framing;
    if (bytes[at] !== mark) return undefined;
    try {
      return find(bytes, at);
    } catch (error) {
      if (error instanceof ParseError) return undefined;
      throw error;
    }
  }

  #frame(data: Uint8Array, found: Found, anchor: number | undefined): AudioFrame | undefined {
    const parameters = found.parameters();
    const before = this.#parameters;
    const fresh = before === undefined || !sameParameters(before, parameters);
    const rate = parameters.sampleRate;
    if (before !== undefined && this.#next !== undefined && before.sampleRate !== rate) {
      this.#next = Math.round((this.#next * rate) / before.sampleRate);
    }
    let time = this.#next;
    if (anchor !== undefined) {
      const told = (anchor * rate) / SYSTEM_TIMEBASE;
      if (time === undefined || Math.abs(told - time) > (JITTER * rate) / SYSTEM_TIMEBASE)
        time = Math.round(told);
    }
    if (time === undefined) return undefined;
    const duration = parameters.frameSize ?? 0;
    this.#parameters = parameters;
    this.#next = time + duration;
    return { parameters: fresh ? parameters : undefined, time, duration, data };
  }
}

function findAdts(data: Uint8Array, at: number): Found {
  const { frameBytes, headerBytes, rawBlocks, ...config } = parseAdtsHeader(data, at);
  // Several raw blocks share one header; nobody sends them, and parting them takes a decoder.
  if (rawBlocks !== 1)
    throw new ParseError('FRAME_MALFORMED', 'ISO/IEC 14496-3 §1.A.2.2', `${rawBlocks} blocks`, at);
  return { bytes: frameBytes, header: headerBytes, parameters: () => aacParameters(writeAacConfig(config)) };
}

function findMp3(data: Uint8Array, at: number): Found {
  const { bytes } = parseMp3Header(data, at);
  if (bytes === undefined)
    throw new ParseError('FRAME_MALFORMED', 'ISO/IEC 11172-3 §2.4.1.3', 'free format', at);
  return { bytes, header: 0, parameters: () => mp3Parameters(data.subarray(at)) };
}

function findAc3(data: Uint8Array, at: number): Found {
  const frame = data.subarray(at);
  return { bytes: ac3FrameBytes(frame), header: 0, parameters: () => ac3Parameters('ac3', frame) };
}

function findEac3(data: Uint8Array, at: number): Found {
  const rest = data.subarray(at);
  const bytes = eac3UnitBytes(rest);
  return { bytes, header: 0, parameters: () => ac3Parameters('eac3', rest.subarray(0, bytes)) };
}

/** Where the next byte stands that a header may begin with. */
function nextMark(bytes: Uint8Array, from: number, mark: number): number {
  const found = bytes.indexOf(mark, from);
  return found < 0 ? bytes.length : found;
}
