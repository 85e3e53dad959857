import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { BitReader } from './bit-reader.ts';
import { BitWriter } from './bit-writer.ts';

/** Sampling frequencies by index, in hertz. ISO/IEC 14496-3 Table 1.18. */
export const AAC_SAMPLE_RATES: readonly number[] = [
  96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
];
/** Highest sampling rate accepted, in hertz. */
export const MAX_SAMPLE_RATE = 192_000;

/** Audio object types that are named here. ISO/IEC 14496-3 Table 1.17. */
export const AAC_OBJECT_TYPE = {
  main: 1,
  lc: 2,
  ssr: 3,
  ltp: 4,
  sbr: 5,
  erLd: 23,
  ps: 29,
  eld: 39,
  usac: 42,
} as const;

/** AudioSpecificConfig. ISO/IEC 14496-3 §1.6.2.1. */
export interface AacConfig {
  /** Type of the core coder, e.g. 2 for AAC-LC, also where SBR is signalled around it. */
  readonly objectType: number;
  /** Sampling rate of the core coder in hertz. */
  readonly sampleRate: number;
  /** 0 where a program config element describes the channels. */
  readonly channelConfiguration: number;
  /** Channels at the output of the decoder. */
  readonly channels: number;
  /** PCM frames of the core coder in one access unit. */
  readonly coreFrameSize: number;
  /** Output rate with spectral band replication in hertz, if explicitly signalled. */
  readonly sbrSampleRate?: number;
  /** True if parametric stereo is explicitly signalled. */
  readonly parametricStereo: boolean;
  /** How SBR is signalled: around the core type (5 or 29 first) or by the extension at the end. */
  readonly signalling: 'none' | 'hierarchical' | 'compatible';
}

const CLAUSE = 'ISO/IEC 14496-3 §1.6.2.1';
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8];
const GENERAL_AUDIO = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
const SBR_SYNC = 0x2b7;
const PS_SYNC = 0x548;

/**
 * Reads an AudioSpecificConfig.
 * @throws ParseError `CONFIG_MALFORMED` for reserved values, `BITS_OUT_OF_RANGE` if it is cut off.
 */
export function parseAacConfig(config: Uint8Array): AacConfig {
  const bits = new BitReader(config, CLAUSE);
  let objectType = readObjectType(bits);
  let sampleRate = readSampleRate(bits);
  const channelConfiguration = bits.u(4);
  let signalling: AacConfig['signalling'] = 'none';
  let sbrSampleRate: number | undefined;
  let parametricStereo = false;
  if (objectType === AAC_OBJECT_TYPE.sbr || objectType === AAC_OBJECT_TYPE.ps) {
    signalling = 'hierarchical';
    parametricStereo = objectType === AAC_OBJECT_TYPE.ps;
    sbrSampleRate = readSampleRate(bits);
    objectType = readObjectType(bits);
    if (objectType === 22) bits.skip(4); // extensionChannelConfiguration
  }
  let channels = channelCount(channelConfiguration);
  let coreFrameSize = 1024;
  if (GENERAL_AUDIO.has(objectType)) {
    const specific = readGeneralAudio(bits, objectType, channelConfiguration);
    coreFrameSize = specific.frameSize;
    channels = specific.channels ?? channels;
    if (signalling === 'none' && bits.remaining >= 16) {
      const extension = readExtension(bits);
      if (extension !== undefined) {
        signalling = 'compatible';
        ({ sbrSampleRate, parametricStereo } = extension);
      }
    }
  } else if (objectType === AAC_OBJECT_TYPE.eld) {
    coreFrameSize = bits.flag() ? 480 : 512;
  } else if (objectType === AAC_OBJECT_TYPE.usac) {
    const usac = readUsac(bits);
    sampleRate = usac.sampleRate;
    coreFrameSize = usac.frameSize;
    channels = usac.channels ?? channels;
  } else {
    throw malformed(`audio object type ${objectType} is not supported`);
  }
  if (parametricStereo && channels === 1) channels = 2;
  if (channels === 0) throw malformed(`channel configuration ${channelConfiguration} tells no channels`);
  return {
    objectType,
    sampleRate,
    channelConfiguration,
    channels,
    coreFrameSize,
    ...(sbrSampleRate === undefined ? {} : { sbrSampleRate }),
    parametricStereo,
    signalling,
  };
}

/**
 * Writes an AudioSpecificConfig of the general audio types without program config element.
 * SBR, if told, is signalled around the core type.
 */
export function writeAacConfig(
  config: Pick<AacConfig, 'objectType' | 'sampleRate' | 'channelConfiguration'> &
    Partial<Pick<AacConfig, 'sbrSampleRate' | 'parametricStereo' | 'coreFrameSize'>>,
): Uint8Array {
  const bits = new BitWriter();
  const { sbrSampleRate, objectType } = config;
  if (sbrSampleRate !== undefined) {
    writeObjectType(bits, config.parametricStereo ? AAC_OBJECT_TYPE.ps : AAC_OBJECT_TYPE.sbr);
  } else writeObjectType(bits, objectType);
  writeSampleRate(bits, config.sampleRate);
  bits.u(4, config.channelConfiguration);
  if (sbrSampleRate !== undefined) {
    writeSampleRate(bits, sbrSampleRate);
    writeObjectType(bits, objectType);
  }
  bits.flag(config.coreFrameSize === 960 || config.coreFrameSize === 480);
  return bits.u(2, 0).finish(); // dependsOnCoreCoder, extensionFlag
}

/** `mp4a.40.N` (RFC 6381 §3.3): N is the object type, 5 or 29 where SBR or PS stand around the core type. */
export function aacCodecString(config: AacConfig): string {
  if (config.signalling === 'none') return `mp4a.40.${config.objectType}`;
  return `mp4a.40.${config.parametricStereo ? AAC_OBJECT_TYPE.ps : AAC_OBJECT_TYPE.sbr}`;
}

/** Track parameters from an AudioSpecificConfig, of which they keep a copy. */
export function aacParameters(audioSpecificConfig: Uint8Array): AudioParameters {
  const config = parseAacConfig(audioSpecificConfig);
  const { sampleRate, sbrSampleRate = sampleRate, coreFrameSize } = config;
  return {
    kind: 'audio',
    codec: 'aac',
    description: audioSpecificConfig.slice(),
    codecString: aacCodecString(config),
    sampleRate: sbrSampleRate,
    channels: config.channels,
    frameSize: sbrSampleRate === sampleRate * 2 ? coreFrameSize * 2 : coreFrameSize,
  };
}

function readObjectType(bits: BitReader): number {
  const type = bits.u(5);
  return type === 31 ? 32 + bits.u(6) : type;
}

function writeObjectType(bits: BitWriter, type: number): void {
  if (type < 31) bits.u(5, type);
  else bits.u(5, 31).u(6, type - 32);
}

function readSampleRate(bits: BitReader): number {
  const index = bits.u(4);
  const rate = index === 15 ? bits.u(24) : AAC_SAMPLE_RATES[index];
  return checkedRate(rate, index);
}

function checkedRate(rate: number | undefined, index: number): number {
  if (rate === undefined || rate < 1 || rate > MAX_SAMPLE_RATE) {
    throw malformed(`sampling frequency index ${index}${rate === undefined ? '' : ` with ${rate} Hz`}`);
  }
  return rate;
}

function writeSampleRate(bits: BitWriter, rate: number): void {
  const index = AAC_SAMPLE_RATES.indexOf(rate);
  if (index >= 0) bits.u(4, index);
  else bits.u(4, 15).u(24, rate);
}

function channelCount(configuration: number): number {
  return CHANNELS[configuration] ?? 0;
}

/** GASpecificConfig, §4.4.1. */
function readGeneralAudio(
  bits: BitReader,
  objectType: number,
  channelConfiguration: number,
): { frameSize: number; channels?: number } {
  const short = bits.flag();
  const lowDelay = objectType === AAC_OBJECT_TYPE.erLd;
  const frameSize = lowDelay ? (short ? 480 : 512) : short ? 960 : 1024;
  if (bits.flag()) bits.skip(14); // coreCoderDelay
  const extensionFlag = bits.flag();
  const described = channelConfiguration === 0 ? { channels: readProgramConfig(bits) } : {};
  if (objectType === 6 || objectType === 20) bits.skip(3); // layerNr
  if (extensionFlag) {
    if (objectType === 22) bits.skip(16); // numOfSubFrame, layer_length
    if (
      objectType === 17 ||
      (objectType >= 19 && objectType <= 23 && objectType !== 21 && objectType !== 22)
    ) {
      bits.skip(3); // resilience flags
    }
    bits.skip(1); // extensionFlag3
  }
  return { frameSize, ...described };
}

/** program_config_element, §4.4.1.1; returns the channels of all its elements. */
function readProgramConfig(bits: BitReader): number {
  bits.skip(10); // element_instance_tag, object_type, sampling_frequency_index
  const front = bits.u(4);
  const side = bits.u(4);
  const back = bits.u(4);
  const lfe = bits.u(2);
  const data = bits.u(3);
  const coupling = bits.u(4);
  if (bits.flag()) bits.skip(4); // mono mixdown
  if (bits.flag()) bits.skip(4); // stereo mixdown
  if (bits.flag()) bits.skip(3); // matrix mixdown
  let channels = lfe;
  for (let i = 0; i < front + side + back; i++) {
    channels += bits.flag() ? 2 : 1;
    bits.skip(4);
  }
  bits.skip(lfe * 4 + data * 4 + coupling * 5);
  bits.align();
  bits.skip(bits.u(8) * 8); // comment
  return channels;
}

/** Backward compatible signalling of SBR and PS after the core configuration. */
function readExtension(
  bits: BitReader,
): { sbrSampleRate: number | undefined; parametricStereo: boolean } | undefined {
  if (bits.u(11) !== SBR_SYNC || readObjectType(bits) !== AAC_OBJECT_TYPE.sbr) return undefined;
  if (bits.remaining < 1 || !bits.flag()) return undefined;
  const sbrSampleRate = readSampleRate(bits);
  const parametricStereo = bits.remaining >= 12 && bits.u(11) === PS_SYNC && bits.flag();
  return { sbrSampleRate, parametricStereo };
}

/** Beginning of UsacConfig, ISO/IEC 23003-3 §5.2. */
function readUsac(bits: BitReader): { sampleRate: number; frameSize: number; channels?: number } {
  const index = bits.u(5);
  const rate = index === 31 ? bits.u(24) : (AAC_SAMPLE_RATES[index] ?? USAC_SAMPLE_RATES[index - 15]);
  const frameSize = [768, 1024, 2048, 2048, 4096][bits.u(3)];
  if (frameSize === undefined) throw malformed('a reserved coreSbrFrameLengthIndex');
  const channels = channelCount(bits.u(5));
  return { sampleRate: checkedRate(rate, index), frameSize, ...(channels > 0 ? { channels } : {}) };
}

/** Indices 15 to 30 of ISO/IEC 23003-3 Table 72. */
const USAC_SAMPLE_RATES: readonly number[] = [
  57600, 51200, 40000, 38400, 34150, 28800, 25600, 20000, 19200, 17075, 14400, 12800, 9600,
];

function malformed(what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', CLAUSE, what);
}
