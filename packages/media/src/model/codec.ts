/** Video codecs that pass through the hub; framing per codec is in `docs/codec-registry.md`. */
export type VideoCodec = 'h264' | 'hevc' | 'vvc' | 'av1' | 'vp8' | 'vp9';
/** Audio codecs that pass through the hub; framing per codec is in `docs/codec-registry.md`. */
export type AudioCodec = 'aac' | 'opus' | 'mp3' | 'flac' | 'ac3' | 'eac3';

/** Colour of pictures: code points of ISO/IEC 23091-2, 2 where one is not told. */
export interface Colour {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
  /** Light of the content, cd/m². CTA-861.3. */
  readonly light?: { readonly maxContent: number; readonly maxFrameAverage: number };
  /** The display it was made on. SMPTE ST 2086. */
  readonly mastering?: MasteringDisplay;
}

/** Chromaticities as x and y of CIE 1931, 0 to 1; luminances in cd/m². */
export interface MasteringDisplay {
  readonly red: readonly [number, number];
  readonly green: readonly [number, number];
  readonly blue: readonly [number, number];
  readonly white: readonly [number, number];
  readonly maxLuminance: number;
  readonly minLuminance: number;
}

/** What a decoder must know before the first video sample. Immutable. */
export interface VideoParameters {
  readonly kind: 'video';
  readonly codec: VideoCodec;
  /**
   * Decoder configuration record as the ISO base media file format stores it: the payload of `avcC`,
   * `hvcC`, `vvcC`, `av1C` or `vpcC`. Empty for VP8.
   */
  readonly description: Uint8Array;
  /** RFC 6381 codec string, e.g. `avc1.64001f`. */
  readonly codecString: string;
  /** Display width in pixels after cropping; 0 if unknown. */
  readonly width: number;
  /** Display height in pixels after cropping; 0 if unknown. */
  readonly height: number;
  /** Frames per second, if the bitstream or the publisher tells. */
  readonly frameRate?: number;
  /** As the publisher tells it beside the bitstream. */
  readonly colour?: Colour;
}

/** What a decoder must know before the first audio sample. Immutable. */
export interface AudioParameters {
  readonly kind: 'audio';
  readonly codec: AudioCodec;
  /** AudioSpecificConfig (AAC), `dOps` payload (Opus), `dfLa` metadata blocks (FLAC); otherwise empty. */
  readonly description: Uint8Array;
  /** RFC 6381 codec string, e.g. `mp4a.40.2`. */
  readonly codecString: string;
  /** Samples per second at the decoder's output. */
  readonly sampleRate: number;
  readonly channels: number;
  /** PCM frames in one access unit where constant (AAC-LC 1024, MP3 1152), else undefined. */
  readonly frameSize?: number;
}

/** A track of timed events: each sample is one `TimedEvent`, its data is that as UTF-8 JSON. */
export interface DataParameters {
  readonly kind: 'data';
  readonly codec: 'event';
}

/** Codec parameters of one track. */
export type CodecParameters = VideoParameters | AudioParameters | DataParameters;

/** True if a decoder configured with `a` can go on with samples of `b` without being set up again. */
export function sameParameters(a: CodecParameters, b: CodecParameters): boolean {
  if (a.kind !== b.kind || a.codec !== b.codec) return false;
  if (a.kind === 'data' || b.kind === 'data') return true;
  if (a.kind === 'video' && b.kind === 'video') {
    if (a.width !== b.width || a.height !== b.height || !sameColour(a.colour, b.colour)) return false;
  }
  if (a.kind === 'audio' && b.kind === 'audio') {
    if (a.sampleRate !== b.sampleRate || a.channels !== b.channels) return false;
  }
  return a.codecString === b.codecString && sameBytes(a.description, b.description);
}

/** `PQ` or `HLG` for pictures of high dynamic range, by their transfer characteristics (ISO/IEC 23091-2 §8.2). */
export function videoRange(colour: Colour | undefined): 'PQ' | 'HLG' | undefined {
  if (colour?.transfer === 16) return 'PQ';
  return colour?.transfer === 18 ? 'HLG' : undefined;
}

function sameColour(a: Colour | undefined, b: Colour | undefined): boolean {
  // All of them are made in the same place, with their fields in the same order.
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
