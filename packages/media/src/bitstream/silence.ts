import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { AAC_OBJECT_TYPE, parseAacConfig } from './aac.ts';
import { BitWriter } from './bit-writer.ts';
import { writeSilentMp3 } from './mp3.ts';
import { parseOpusConfig } from './opus.ts';

/** An access unit that decodes to silence, over and over. */
export interface SilentUnit {
  readonly data: Uint8Array;
  /** PCM frames at the decoder's output. */
  readonly frames: number;
}

/** Syntactic elements of a raw_data_block. ISO/IEC 14496-3 Table 4.85. */
const SCE = 0;
const CPE = 1;
const LFE = 3;
const END = 7;
/** Those of each channel configuration, in order. ISO/IEC 14496-3 Table 1.19. */
const ELEMENTS: readonly (readonly number[])[] = [
  [],
  [SCE],
  [CPE],
  [SCE, CPE],
  [SCE, CPE, SCE],
  [SCE, CPE, CPE],
  [SCE, CPE, CPE, LFE],
  [SCE, CPE, CPE, CPE, LFE],
];
/** Object types with the plain syntax of general audio, that is without error resilience. */
const PLAIN: readonly number[] = [AAC_OBJECT_TYPE.main, AAC_OBJECT_TYPE.lc, AAC_OBJECT_TYPE.ltp];

/**
 * A silent access unit for a track with these parameters; undefined for FLAC, AC-3, Enhanced AC-3, for AAC other than
 * Main, LC and LTP (with SBR or without) in up to 7.1 channels, and for Opus with more than one stream.
 */
export function silentUnit(parameters: AudioParameters): SilentUnit | undefined {
  const { codec, description, frameSize = 1024 } = parameters;
  try {
    switch (codec) {
      case 'aac': {
        const data = silentAac(description);
        return data === undefined ? undefined : { data, frames: frameSize };
      }
      case 'opus':
        return silentOpus(description);
      case 'mp3': {
        const { data, frameSize: frames } = writeSilentMp3(parameters.sampleRate, parameters.channels);
        return { data, frames };
      }
      case 'flac':
      case 'ac3':
      case 'eac3':
        return undefined;
    }
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/**
 * raw_data_block (ISO/IEC 14496-3 §4.4.2.1) of elements without a single scale factor band. Where SBR is signalled it
 * has none of its data: then decoders only raise the sampling rate.
 */
function silentAac(config: Uint8Array): Uint8Array | undefined {
  const { objectType, channelConfiguration } = parseAacConfig(config);
  const elements = ELEMENTS[channelConfiguration] ?? [];
  if (elements.length === 0 || !PLAIN.includes(objectType)) return undefined;
  const bits = new BitWriter();
  const tags = [0, 0, 0, 0];
  for (const element of elements) {
    bits.u(3, element).u(4, tags[element]!++);
    if (element === CPE) {
      bits.u(1, 1); // common_window
      writeIcsInfo(bits);
      bits.u(2, 0); // ms_mask_present
      writeChannel(bits, true);
      writeChannel(bits, true);
    } else writeChannel(bits, false);
  }
  return bits.u(3, END).finish();
}

/** individual_channel_stream (ISO/IEC 14496-3 §4.4.2.7): nothing in it. */
function writeChannel(bits: BitWriter, commonWindow: boolean): void {
  bits.u(8, 0); // global_gain
  if (!commonWindow) writeIcsInfo(bits);
  bits.u(3, 0); // pulse_data_present, tns_data_present, gain_control_data_present
}

/** ics_info: one long window, max_sfb 0, no prediction. */
function writeIcsInfo(bits: BitWriter): void {
  bits.u(1 + 2 + 1 + 6 + 1, 0);
}

/** A CELT frame of 20 ms with the silence flag set: RFC 6716 §3.1 configuration 31, §4.3.1. */
function silentOpus(config: Uint8Array): SilentUnit | undefined {
  const { channels, mapping } = parseOpusConfig(config);
  const streams = mapping[0] ?? 1;
  if (streams !== 1) return undefined;
  return { data: Uint8Array.of((31 << 3) | (channels > 1 ? 4 : 0), 0xff, 0xfe), frames: 960 };
}
