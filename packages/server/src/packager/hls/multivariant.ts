import type { Rendition as ModelRendition, MultivariantPlaylist, Variant } from '@onair/media/hls';
import { HLS_VERSION } from './media-playlist.ts';
import type { Rendition } from './rendition.ts';

/** Group of all audio renditions. */
const AUDIO_GROUP = 'audio';

/** Bits per second of a rendition. */
interface Bitrate {
  readonly peak: number;
  readonly average: number;
}

/**
 * The multivariant playlist of a stream.
 * @param renditions of the running epoch, video first. @param frameRate of the video, if it is constant.
 * @param base in front of each address, e.g. `hls/`.
 */
export function multivariantPlaylist(
  renditions: readonly Rendition[],
  frameRate: number | undefined,
  base: string,
): MultivariantPlaylist {
  const video = renditions.find(({ track }) => track?.parameters.kind === 'video');
  const sound = renditions.filter(({ track }) => track?.parameters.kind === 'audio');
  const grouped = video !== undefined && sound.length > 0;
  return {
    version: HLS_VERSION,
    independentSegments: true,
    renditions: grouped ? sound.map((rendition, i) => audioRendition(rendition, i, base)) : [],
    variants: grouped
      ? [variant(video, loudest(sound), frameRate, base)]
      : renditions.slice(0, 1).map((rendition) => variant(rendition, undefined, frameRate, base)),
  };
}

function audioRendition(rendition: Rendition, index: number, base: string): ModelRendition {
  const { track } = rendition;
  const channels = track?.parameters.kind === 'audio' ? track.parameters.channels : 0;
  const language = languageOf(track?.language);
  return {
    type: 'AUDIO',
    groupId: AUDIO_GROUP,
    name: index === 0 ? 'Audio' : `Audio ${index + 1}`,
    language,
    default: index === 0,
    autoselect: true,
    channels: channels > 0 ? String(channels) : undefined,
    uri: `${base}${rendition.name}.m3u8`,
  };
}

/** A BCP 47 tag comes from the publisher: anything that is not one must not reach a quoted string. */
function languageOf(language: string | undefined): string {
  return language !== undefined && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}$/.test(language)
    ? language
    : 'und';
}

function variant(
  main: Rendition,
  sound: { readonly rendition: Rendition; readonly bitrate: Bitrate } | undefined,
  frameRate: number | undefined,
  base: string,
): Variant {
  const own = bitrateOf(main);
  const parameters = main.track?.parameters;
  const codecs = [main, sound?.rendition].flatMap((rendition) => codecsOf(rendition));
  const video = parameters?.kind === 'video' ? parameters : undefined;
  const rate = video === undefined ? undefined : (frameRate ?? video.frameRate ?? measuredRate(main));
  return {
    uri: `${base}${main.name}.m3u8`,
    bandwidth: Math.max(1, Math.ceil(own.peak + (sound?.bitrate.peak ?? 0))),
    averageBandwidth: Math.max(1, Math.ceil(own.average + (sound?.bitrate.average ?? 0))),
    codecs: codecs.join(','),
    resolution:
      video !== undefined && video.width > 0 && video.height > 0
        ? { width: video.width, height: video.height }
        : undefined,
    frameRate: rate,
    audio: sound === undefined ? undefined : AUDIO_GROUP,
  };
}

function codecsOf(rendition: Rendition | undefined): string[] {
  const parameters = rendition?.track?.parameters;
  return parameters === undefined || parameters.kind === 'data' ? [] : [parameters.codecString];
}

function loudest(sound: readonly Rendition[]): { readonly rendition: Rendition; readonly bitrate: Bitrate } {
  let best = { rendition: sound[0]!, bitrate: bitrateOf(sound[0]!) };
  for (const rendition of sound.slice(1)) {
    const bitrate = bitrateOf(rendition);
    if (bitrate.peak > best.bitrate.peak) best = { rendition: best.rendition, bitrate };
  }
  return best;
}

/** RFC 8216 §4.3.4.2: the largest of any segment, and the average over all; of what there is at first. */
function bitrateOf(rendition: Rendition): Bitrate {
  let bits = 0;
  let microseconds = 0;
  let peak = 0;
  for (const { bytes, duration } of rendition.window.listed) {
    if (duration === 0) continue;
    bits += bytes.length * 8;
    microseconds += duration;
    peak = Math.max(peak, (bytes.length * 8_000_000) / duration);
  }
  const growing = rendition.open?.size;
  if (growing !== undefined && growing.duration > 0 && (microseconds === 0 || growing.duration > 1_000_000)) {
    bits += growing.bytes * 8;
    microseconds += growing.duration;
    peak = Math.max(peak, (growing.bytes * 8_000_000) / growing.duration);
  }
  return { peak, average: microseconds === 0 ? 0 : (bits * 1_000_000) / microseconds };
}

/** Frames per second of the newest media, for a source that keeps to no constant rate. */
function measuredRate(rendition: Rendition): number | undefined {
  const last = rendition.window.listed.at(-1);
  const { frames, duration } = last ?? rendition.open?.size ?? { frames: 0, duration: 0 };
  return frames === 0 || duration === 0 ? undefined : Math.round((frames * 1_000_000_000) / duration) / 1000;
}
