import { OPUS_SAMPLE_RATE, opusPacketFrames, opusParameters, writeOpusConfig } from '../bitstream/index.ts';
import { ByteReader } from '../bytes/index.ts';
import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import type { AudioFrame } from './audio-intake.ts';
import { SYSTEM_TIMEBASE } from './clock.ts';
import type { TsDescriptor } from './tables.ts';

const CLAUSE = 'ETSI TS Opus 0.1.3 (draft)';
const REGISTRATION = 0x05;
const EXTENSION = 0x7f;
/** descriptor_tag_extension of an opus_audio_descriptor. */
const OPUS_EXTENSION = 0x80;
/** What encoders begin with, in frames at 48 kHz: 6.5 ms; a transport stream does not tell it. */
const PRE_SKIP = 312;
/** First 11 bits of an opus_control_header. */
const CONTROL_PREFIX = 0x3ff;
/** Most access units of one PES packet. */
const MAX_UNITS = 1024;
/** Streams, coupled ones and places of the channels by their number. RFC 7845 §5.1.1.2. */
const MAPPINGS: Readonly<Record<number, readonly number[]>> = {
  3: [2, 1, 0, 2, 1],
  4: [2, 2, 0, 1, 2, 3],
  5: [3, 2, 0, 4, 1, 2, 3],
  6: [4, 2, 0, 4, 1, 2, 3, 5],
  7: [4, 3, 0, 4, 1, 2, 3, 5, 6],
  8: [5, 3, 0, 6, 1, 2, 3, 4, 5, 7],
};

/** Channels of Opus that the descriptors of a stream of private data tell; undefined for what is no Opus, or of another mapping. */
export function opusChannels(descriptors: readonly TsDescriptor[]): number | undefined {
  const isOpus = descriptors.some(
    ({ tag, content }) => tag === REGISTRATION && String.fromCharCode(...content.subarray(0, 4)) === 'Opus',
  );
  if (!isOpus) return undefined;
  const own = descriptors.find(({ tag, content }) => tag === EXTENSION && content[0] === OPUS_EXTENSION);
  const code = own?.content[1] ?? 2;
  return code >= 1 && code <= 8 ? code : undefined;
}

/** Takes the access units of Opus out of PES packets (ETSI TS Opus, draft 0.1.3). */
export class OpusIntake {
  readonly #parameters: AudioParameters;
  #told = false;
  /** Time of the next access unit, in frames at 48 kHz. */
  #next: number | undefined;

  /** @param channels 1 to 8. */
  constructor(channels: number) {
    const mapping = Uint8Array.from(MAPPINGS[channels] ?? []);
    this.#parameters = opusParameters(
      writeOpusConfig({
        channels,
        preSkip: PRE_SKIP,
        inputSampleRate: OPUS_SAMPLE_RATE,
        outputGain: 0,
        mappingFamily: mapping.length === 0 ? 0 : 1,
        mapping,
      }),
    );
  }

  /**
   * Takes the content of one PES packet.
   * @param pts 90 kHz, unwrapped. @throws ParseError `FRAME_MALFORMED`, `TS_LIMIT`, `BYTES_OUT_OF_RANGE`; nothing of the packet counts then.
   */
  read(
    data: Uint8Array,
    pts: number | undefined,
  ): { readonly frames: AudioFrame[]; readonly skipped: boolean } {
    const reader = new ByteReader(data, CLAUSE);
    const frames: AudioFrame[] = [];
    let time = pts === undefined ? this.#next : Math.round((pts * OPUS_SAMPLE_RATE) / SYSTEM_TIMEBASE);
    if (time === undefined) return { frames, skipped: false };
    while (reader.remaining > 0) {
      if (frames.length >= MAX_UNITS)
        throw new ParseError('TS_LIMIT', CLAUSE, `more than ${MAX_UNITS} units`);
      const unit = reader.bytes(readControl(reader)).slice();
      const duration = opusPacketFrames(unit);
      const parameters = this.#told || frames.length > 0 ? undefined : this.#parameters;
      frames.push({ parameters, time, duration, data: unit });
      time += duration;
    }
    this.#told ||= frames.length > 0;
    this.#next = time;
    return { frames, skipped: false };
  }

  /** What comes next does not go on from what came. */
  lost(): void {
    this.#next = undefined;
  }
}

/** `opus_control_header()`. @returns bytes of the access unit behind it. */
function readControl(reader: ByteReader): number {
  const head = reader.u16();
  if (head >> 5 !== CONTROL_PREFIX) throw new ParseError('FRAME_MALFORMED', CLAUSE, 'no control header');
  let bytes = 0;
  for (let part = 0xff; part === 0xff; bytes += part) part = reader.u8();
  // What is to be cut from the decoder's output is of no use in an endless stream.
  if ((head & 0x10) !== 0) reader.skip(2);
  if ((head & 0x08) !== 0) reader.skip(2);
  if ((head & 0x04) !== 0) reader.skip(reader.u8());
  return bytes;
}
