import { ByteReader, ByteWriter } from '../bytes/index.ts';
import type { AudioParameters } from '../model/codec.ts';
import { ParseError } from '../model/errors.ts';

/** Opus is always decoded at this rate, in hertz. RFC 6716 §2. */
export const OPUS_SAMPLE_RATE = 48_000;
/** Longest packet, 120 ms, in frames at 48 kHz. RFC 6716 §3.2.5. */
const MAX_PACKET_FRAMES = 5760;

/** What OpusHead (RFC 7845 §5.1) and `dOps` (Opus in ISOBMFF §4.3.2) both tell. */
export interface OpusConfig {
  readonly channels: number;
  /** Frames at 48 kHz to drop from the decoder's output at the start. */
  readonly preSkip: number;
  /** Rate of the original input in hertz; of no meaning for decoding. */
  readonly inputSampleRate: number;
  /** Gain in 1/256 dB, signed. */
  readonly outputGain: number;
  readonly mappingFamily: number;
  /** Streams, coupled streams and one byte per channel; only where the family is not 0. */
  readonly mapping: Uint8Array;
}

const HEAD_CLAUSE = 'RFC 7845 §5.1';
const BOX_CLAUSE = 'Opus in ISOBMFF §4.3.2';
const MAGIC = 'OpusHead';

/** Reads an identification header. @throws ParseError `CONFIG_MALFORMED` or `BYTES_OUT_OF_RANGE` */
export function parseOpusHead(head: Uint8Array): OpusConfig {
  const reader = new ByteReader(head, HEAD_CLAUSE);
  if (reader.utf8(8) !== MAGIC) throw malformed(HEAD_CLAUSE, 'no OpusHead in front');
  const version = reader.u8();
  if (version >> 4 !== 0) throw malformed(HEAD_CLAUSE, `version ${version}`);
  const channels = reader.u8();
  const preSkip = swap16(reader.u16());
  const inputSampleRate = reader.u32le();
  const outputGain = (swap16(reader.u16()) << 16) >> 16;
  return withMapping(reader, HEAD_CLAUSE, { channels, preSkip, inputSampleRate, outputGain });
}

/** Writes an identification header. */
export function writeOpusHead(config: OpusConfig): Uint8Array {
  return new ByteWriter(32)
    .utf8(MAGIC)
    .u8(1)
    .u8(config.channels)
    .u16(swap16(config.preSkip))
    .u32le(config.inputSampleRate)
    .u16(swap16(config.outputGain & 0xffff))
    .u8(config.mappingFamily)
    .bytes(config.mapping)
    .finish();
}

/** Reads the payload of a `dOps` box. @throws ParseError `CONFIG_MALFORMED` or `BYTES_OUT_OF_RANGE` */
export function parseOpusConfig(box: Uint8Array): OpusConfig {
  const reader = new ByteReader(box, BOX_CLAUSE);
  const version = reader.u8();
  if (version !== 0) throw malformed(BOX_CLAUSE, `version ${version}`);
  const channels = reader.u8();
  const preSkip = reader.u16();
  const inputSampleRate = reader.u32();
  const outputGain = reader.i16();
  return withMapping(reader, BOX_CLAUSE, { channels, preSkip, inputSampleRate, outputGain });
}

/** Writes the payload of a `dOps` box. */
export function writeOpusConfig(config: OpusConfig): Uint8Array {
  return new ByteWriter(32)
    .u8(0)
    .u8(config.channels)
    .u16(config.preSkip)
    .u32(config.inputSampleRate)
    .i16(config.outputGain)
    .u8(config.mappingFamily)
    .bytes(config.mapping)
    .finish();
}

/**
 * Duration of a packet in frames at 48 kHz, from its TOC byte. RFC 6716 §3.1 and §3.2.
 * @throws ParseError `FRAME_MALFORMED` for an empty packet or one of more than 120 ms.
 */
export function opusPacketFrames(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) throw malformedPacket('an empty packet');
  const one = frameLength(toc >> 3);
  const code = toc & 3;
  if (code < 3) return one * (code === 0 ? 1 : 2);
  const second = packet[1];
  if (second === undefined) throw malformedPacket('no frame count');
  const frames = one * (second & 63);
  if (frames === 0 || frames > MAX_PACKET_FRAMES) throw malformedPacket(`${frames / 48} ms`);
  return frames;
}

/** Frames at 48 kHz of one Opus frame. RFC 6716 Table 2. */
function frameLength(configuration: number): number {
  if (configuration < 12) return [480, 960, 1920, 2880][configuration & 3]!;
  if (configuration < 16) return [480, 960][configuration & 1]!;
  return [120, 240, 480, 960][configuration & 3]!;
}

/** Track parameters from the payload of a `dOps` box, of which they keep a copy. */
export function opusParameters(box: Uint8Array): AudioParameters {
  return {
    kind: 'audio',
    codec: 'opus',
    description: box.slice(),
    codecString: 'opus',
    sampleRate: OPUS_SAMPLE_RATE,
    channels: parseOpusConfig(box).channels,
  };
}

function withMapping(
  reader: ByteReader,
  clause: string,
  fields: Omit<OpusConfig, 'mappingFamily' | 'mapping'>,
): OpusConfig {
  const { channels } = fields;
  const mappingFamily = reader.u8();
  if (channels === 0) throw malformed(clause, 'no channels');
  if (mappingFamily === 0 && channels > 2)
    throw malformed(clause, `${channels} channels in mapping family 0`);
  const mapping = mappingFamily === 0 ? new Uint8Array(0) : reader.bytes(2 + channels).slice();
  return { ...fields, mappingFamily, mapping };
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >> 8) & 0xff);
}

function malformed(clause: string, what: string): ParseError {
  return new ParseError('CONFIG_MALFORMED', clause, what);
}

function malformedPacket(what: string): ParseError {
  return new ParseError('FRAME_MALFORMED', 'RFC 6716 §3.2', `an Opus packet with ${what}`);
}
