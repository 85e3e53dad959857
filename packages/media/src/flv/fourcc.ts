import type { AudioCodec, VideoCodec } from '../model/codec.ts';

/** Four characters as the 32-bit number of the wire. */
export function fourCc(text: string): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + text.charCodeAt(i);
  return value;
}

/** The characters of a FourCC for messages; anything unprintable becomes `?`. */
export function fourCcText(value: number): string {
  let text = '';
  for (const shift of [24, 16, 8, 0]) {
    const byte = (value >>> shift) & 0xff;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  }
  return text;
}

/** FourCC of each video codec. Enhanced RTMP v2, ExVideoTagHeader. */
export const VIDEO_FOURCC: Readonly<Record<VideoCodec, number>> = {
  h264: fourCc('avc1'),
  hevc: fourCc('hvc1'),
  vvc: fourCc('vvc1'),
  av1: fourCc('av01'),
  vp9: fourCc('vp09'),
  vp8: fourCc('vp08'),
};

/** FourCC of each audio codec. Enhanced RTMP v2, ExAudioTagHeader. */
export const AUDIO_FOURCC: Readonly<Record<AudioCodec, number>> = {
  aac: fourCc('mp4a'),
  opus: fourCc('Opus'),
  mp3: fourCc('.mp3'),
  flac: fourCc('fLaC'),
  ac3: fourCc('ac-3'),
  eac3: fourCc('ec-3'),
};

/** Video codec of a FourCC. */
export const VIDEO_CODEC_OF: ReadonlyMap<number, VideoCodec> = invert(VIDEO_FOURCC);
/** Audio codec of a FourCC. */
export const AUDIO_CODEC_OF: ReadonlyMap<number, AudioCodec> = invert(AUDIO_FOURCC);

function invert<C extends string>(table: Readonly<Record<C, number>>): ReadonlyMap<number, C> {
  return new Map((Object.entries(table) as [C, number][]).map(([codec, value]) => [value, codec]));
}
