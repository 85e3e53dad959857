import { ByteReader, type ByteWriter } from '../bytes/index.ts';
import type { AudioCodec, AudioParameters, Colour, VideoCodec, VideoParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';
import { type Box, type BoxBudget, findBox, readBoxes } from './box.ts';
import { writeBox, writeFullBox, writeType } from './box-writer.ts';
import { AUDIO_BINDINGS, audioRecord, VIDEO_BINDINGS, videoRecord } from './codec-record.ts';
import {
  isMp3ObjectType,
  OBJECT_TYPE_AAC,
  OBJECT_TYPE_MPEG1_AUDIO,
  readElementaryStream,
  writeElementaryStream,
} from './elementary-stream.ts';

const VISUAL = 'ISO/IEC 14496-12 §12.1.3';
const AUDIO = 'ISO/IEC 14496-12 §12.2.3';
/** Bytes of a VisualSampleEntry in front of its boxes. */
const VISUAL_HEAD = 78;
/** Bytes of an AudioSampleEntry in front of its boxes; QuickTime version 1 has 16 more. */
const AUDIO_HEAD = 28;

/** What may be known of a track beyond its codec parameters. */
export interface SampleEntryExtras {
  /** Width to height of one pixel, e.g. `[4, 3]`. */
  readonly pixelAspect?: readonly [number, number];
  /** In place of that of the parameters. */
  readonly colour?: Colour;
  /** Bits per second. */
  readonly bitrate?: { readonly max: number; readonly average: number };
}

/** What a sample entry tells of its track. */
export interface SampleEntry {
  /** Four-character code, e.g. `avc1`. */
  readonly format: string;
  /** Undefined for a code that is not in our registry. */
  readonly codec: VideoCodec | AudioCodec | undefined;
  /** Decoder configuration record in the form of `CodecParameters.description`. */
  readonly description: Uint8Array;
  /** Coded size in pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Samples per second and channels as the entry says; 0 for video. */
  readonly sampleRate: number;
  readonly channels: number;
}

/** Writes a VisualSampleEntry: ISO/IEC 14496-12 §12.1.3 with the codec's record, `colr`, `pasp`, `btrt`. */
export function writeVisualSampleEntry(
  w: ByteWriter,
  video: VideoParameters,
  extras: SampleEntryExtras,
): void {
  const binding = VIDEO_BINDINGS[video.codec];
  const record = videoRecord(video);
  writeBox(w, binding.entries[0]!, () => {
    w.zeros(6).u16(1); // data_reference_index
    w.zeros(16).u16(video.width).u16(video.height);
    w.u32(0x480000).u32(0x480000).u32(0).u16(1); // 72 dpi, reserved, frame_count
    w.zeros(32).u16(0x18).u16(0xffff); // compressorname, depth, pre_defined
    writeRecord(w, binding.record, binding.full?.version, record);
    const { colour = video.colour, pixelAspect } = extras;
    if (colour !== undefined) {
      writeBox(w, 'colr', () => {
        writeType(w, 'nclx');
        w.u16(colour.primaries).u16(colour.transfer).u16(colour.matrix);
        w.u8(colour.fullRange ? 0x80 : 0);
      });
      writeLight(w, colour);
    }
    if (pixelAspect !== undefined) writeBox(w, 'pasp', () => w.u32(pixelAspect[0]).u32(pixelAspect[1]));
    writeBitrate(w, extras);
  });
}

/** `mdcv` and `clli`, ISO/IEC 14496-12 §12.1: chromaticities in 0.00002, luminances in 0.0001 cd/m². */
function writeLight(w: ByteWriter, { mastering, light }: Colour): void {
  if (mastering !== undefined) {
    const { red, green, blue, white, maxLuminance, minLuminance } = mastering;
    writeBox(w, 'mdcv', () => {
      for (const [x, y] of [green, blue, red, white]) {
        w.u16(limited(x * 50_000, 0xffff)).u16(limited(y * 50_000, 0xffff));
      }
      w.u32(limited(maxLuminance * 10_000, 0xffff_ffff)).u32(limited(minLuminance * 10_000, 0xffff_ffff));
    });
  }
  if (light !== undefined) {
    const { maxContent, maxFrameAverage } = light;
    writeBox(w, 'clli', () => w.u16(limited(maxContent, 0xffff)).u16(limited(maxFrameAverage, 0xffff)));
  }
}

function limited(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.round(value)));
}

/** Writes an AudioSampleEntry: ISO/IEC 14496-12 §12.2.3 with the codec's record and `btrt`. */
export function writeAudioSampleEntry(
  w: ByteWriter,
  audio: AudioParameters,
  extras: SampleEntryExtras,
): void {
  const binding = AUDIO_BINDINGS[audio.codec];
  const record = audioRecord(audio);
  // Opus in ISOBMFF §4.3.2: 48000 whatever the input was. A rate that 16 bits cannot hold is written as 0.
  const rate = audio.codec === 'opus' ? 48000 : audio.sampleRate > 0xffff ? 0 : audio.sampleRate;
  writeBox(w, binding.entries[0]!, () => {
    w.zeros(6).u16(1); // data_reference_index
    w.zeros(8).u16(audio.channels).u16(16); // samplesize
    w.u32(0).u16(rate).u16(0);
    if (binding.record === 'esds') {
      writeElementaryStream(w, {
        objectType: audio.codec === 'mp3' ? OBJECT_TYPE_MPEG1_AUDIO : OBJECT_TYPE_AAC,
        maxBitrate: extras.bitrate?.max ?? 0,
        averageBitrate: extras.bitrate?.average ?? 0,
        decoderSpecificInfo: record,
      });
    } else writeRecord(w, binding.record, binding.full?.version, record);
    writeBitrate(w, extras);
  });
}

/** Reads one entry of `stsd`. @param handler type of the track's `hdlr`, which says how entries are laid out. */
export function readSampleEntry(entry: Box, handler: string, budget: BoxBudget): SampleEntry {
  if (handler === 'vide') return readVisual(entry, budget);
  if (handler === 'soun') return readAudio(entry, budget);
  const none = { width: 0, height: 0, sampleRate: 0, channels: 0 };
  return { format: entry.type, codec: undefined, description: new Uint8Array(0), ...none };
}

function readVisual(entry: Box, budget: BoxBudget): SampleEntry {
  const r = new ByteReader(entry.body, VISUAL);
  r.skip(24);
  const width = r.u16();
  const height = r.u16();
  r.skip(VISUAL_HEAD - 28);
  const boxes = readBoxes(r.rest(), budget);
  const codec = codecOf(VIDEO_BINDINGS, entry.type);
  const description = codec === undefined ? undefined : readRecord(boxes, VIDEO_BINDINGS[codec]);
  return {
    format: entry.type,
    codec,
    description: codec === 'vp8' ? new Uint8Array(0) : (description ?? new Uint8Array(0)),
    width,
    height,
    sampleRate: 0,
    channels: 0,
  };
}

function readAudio(entry: Box, budget: BoxBudget): SampleEntry {
  const r = new ByteReader(entry.body, AUDIO);
  r.skip(8);
  const version = r.u16();
  if (version > 1) throw new ParseError('MP4_VALUE', AUDIO, `audio sample entry of version ${version}`, 8);
  r.skip(6);
  const channels = r.u16();
  r.skip(6);
  const sampleRate = r.u16();
  r.skip(AUDIO_HEAD - 26 + (version === 1 ? 16 : 0));
  const boxes = readBoxes(r.rest(), budget);
  let codec = codecOf(AUDIO_BINDINGS, entry.type);
  let description: Uint8Array | undefined;
  if (entry.type === 'mp4a') {
    // QuickTime puts it, with more, into a box of its own.
    const wave = findBox(boxes, 'wave');
    const esds = findBox(boxes, 'esds') ?? (wave && findBox(readBoxes(wave.body, budget), 'esds'));
    if (esds !== undefined) {
      const stream = readElementaryStream(esds.body);
      if (isMp3ObjectType(stream.objectType)) codec = 'mp3';
      description = stream.decoderSpecificInfo;
    }
  } else if (codec !== undefined && codec !== 'mp3') {
    description = readRecord(boxes, AUDIO_BINDINGS[codec]);
  }
  description ??= new Uint8Array(0);
  return { format: entry.type, codec, description, width: 0, height: 0, sampleRate, channels };
}

function codecOf<C extends string>(
  bindings: Readonly<Record<C, { readonly entries: readonly string[] }>>,
  format: string,
): C | undefined {
  for (const codec of Object.keys(bindings) as C[]) {
    if (bindings[codec].entries.includes(format)) return codec;
  }
  return undefined;
}

function readRecord(
  boxes: readonly Box[],
  binding: { readonly record: string; readonly full?: unknown; readonly clause: string },
): Uint8Array | undefined {
  const found = findBox(boxes, binding.record);
  if (found === undefined || binding.full === undefined) return found?.body;
  const r = new ByteReader(found.body, binding.clause);
  r.skip(4);
  return r.rest();
}

function writeRecord(w: ByteWriter, type: string, version: number | undefined, record: Uint8Array): void {
  if (version === undefined) writeBox(w, type, () => w.bytes(record));
  else writeFullBox(w, type, version, 0, () => w.bytes(record));
}

/** `btrt`, ISO/IEC 14496-12 §8.5.2.2. */
function writeBitrate(w: ByteWriter, { bitrate }: SampleEntryExtras): void {
  if (bitrate === undefined) return;
  writeBox(w, 'btrt', () => w.u32(0).u32(bitrate.max).u32(bitrate.average));
}
