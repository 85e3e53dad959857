import { language } from './words.ts';

/** A bitrate for people: `4.2 Mbit/s`. @param bitsPerSecond not negative */
export function bitrate(bitsPerSecond: number): string {
  const [value, unit] =
    bitsPerSecond >= 999_500_000
      ? [bitsPerSecond / 1e9, 'Gbit/s']
      : bitsPerSecond >= 999_500
        ? [bitsPerSecond / 1e6, 'Mbit/s']
        : [bitsPerSecond / 1e3, 'kbit/s'];
  return `${number(value, value < 9.95 && unit !== 'kbit/s' ? 1 : 0)} ${unit}`;
}

/** A size for people, in powers of ten: `12.5 MB`. */
export function bytes(count: number): string {
  let value = count;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5) return `${number(value, value < 9.95 && unit !== 'B' ? 1 : 0)} ${unit}`;
    value /= 1000;
  }
  return `${number(value, 1)} TB`;
}

/** A span as a clock shows it: `0:07`, `12:30`, `1:02:33`; hours go on past a day. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A delay: `320 ms` below one second, `1.85 s` below ten, else `14.4 s`. */
export function delay(milliseconds: number): string {
  if (milliseconds < 999.5) return `${number(milliseconds, 0)} ms`;
  return `${number(milliseconds / 1000, milliseconds < 9995 ? 2 : 1)} s`;
}

/** A share for people, 1 being all of one: `12 %`. */
export function percent(share: number): string {
  return `${number(share * 100, 0)} %`;
}

/** A number in the writing of the page's language. @param digits after the point, always shown */
export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(language.value, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

const CODECS: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  vvc: 'VVC',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  aac: 'AAC',
  opus: 'Opus',
  mp3: 'MP3',
  flac: 'FLAC',
};

/** What people call a codec: `H.264`. */
export function codecName(codec: string): string {
  return CODECS[codec] ?? codec.toUpperCase();
}

const TRANSPORT_NAMES: Readonly<Record<string, string>> = {
  ws: 'WebSocket',
  'ws-fmp4': 'WebSocket fMP4',
  'ws-flv': 'WebSocket FLV',
  flv: 'HTTP-FLV',
  whep: 'WebRTC',
  relay: 'WebRTC relay',
  llhls: 'LL-HLS',
  'll-hls': 'LL-HLS',
  local: 'onair',
  upload: 'WebM/MP4',
  ms2hls: 'ms2hls',
};

/** What people call a transport of the player or a protocol of the server: `HTTP-FLV`. */
export function transportName(transport: string): string {
  return TRANSPORT_NAMES[transport] ?? transport.toUpperCase();
}
