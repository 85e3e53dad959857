import { type Track, type VideoParameters, videoRange } from '@onair/media';
import { colourOf } from '@onair/media/bitstream';
import type { Rendition as ModelRendition, MultivariantPlaylist, Variant } from '@onair/media/hls';
import type { Bitrate } from './bitrates.ts';
import { HLS_VERSION } from './media-playlist.ts';
import type { Rendition } from './rendition.ts';

/** Group of all audio renditions. */
const AUDIO_GROUP = 'audio';

/** Least media whose frames are counted for a rate, in µs. */
const MEASURED_US = 500_000;

/** What is measured of renditions. */
export interface Figures {
  /** Frames per second, if they are constant. */
  frameRate(track: Track): number | undefined;
  bitrate(rendition: Rendition): Bitrate;
}

interface Sound {
  readonly rendition: Rendition;
  readonly bitrate: Bitrate;
}

/**
 * The multivariant playlist of a stream: each quality of the picture is a variant, all sound is one group.
 * @param renditions of the running epoch, video first.
 * @param independent every segment begins with a keyframe.
 * @param base in front of each address, e.g. `hls/`.
 */
export function multivariantPlaylist(
  renditions: readonly Rendition[],
  figures: Figures,
  independent: boolean,
  base: string,
): MultivariantPlaylist {
  const videos = renditions.filter(({ track }) => track?.parameters.kind === 'video');
  const sound = renditions.filter(({ track }) => track?.parameters.kind === 'audio');
  const grouped = videos.length > 0 && sound.length > 0;
  const main = videos.length > 0 ? videos : sound.slice(0, 1);
  const loud = grouped ? loudest(sound, figures) : undefined;
  return {
    version: HLS_VERSION,
    independentSegments: independent,
    renditions: grouped ? sound.map((rendition, i) => audioRendition(rendition, i, base)) : [],
    variants: main.map((rendition) => variant(rendition, loud, figures, base)),
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

function variant(main: Rendition, sound: Sound | undefined, figures: Figures, base: string): Variant {
  const own = figures.bitrate(main);
  const parameters = main.track?.parameters;
  const codecs = [main, sound?.rendition].flatMap((rendition) => codecsOf(rendition));
  const video = parameters?.kind === 'video' ? parameters : undefined;
  return {
    uri: `${base}${main.name}.m3u8`,
    bandwidth: Math.max(1, Math.ceil(own.peak + (sound?.bitrate.peak ?? 0))),
    averageBandwidth: Math.max(1, Math.ceil(own.average + (sound?.bitrate.average ?? 0))),
    codecs: codecs.join(','),
    resolution:
      video !== undefined && video.width > 0 && video.height > 0
        ? { width: video.width, height: video.height }
        : undefined,
    frameRate: video === undefined ? undefined : rateOf(main, video, figures),
    videoRange: video === undefined ? undefined : videoRange(colourOf(video)),
    audio: sound === undefined ? undefined : AUDIO_GROUP,
  };
}

function rateOf(main: Rendition, video: VideoParameters, figures: Figures): number | undefined {
  return figures.frameRate(main.track!) ?? video.frameRate ?? measuredRate(main);
}

function codecsOf(rendition: Rendition | undefined): string[] {
  const parameters = rendition?.track?.parameters;
  return parameters === undefined || parameters.kind === 'data' ? [] : [parameters.codecString];
}

function loudest(sound: readonly Rendition[], figures: Figures): Sound {
  let best: Sound = { rendition: sound[0]!, bitrate: figures.bitrate(sound[0]!) };
  for (const rendition of sound.slice(1)) {
    const bitrate = figures.bitrate(rendition);
    if (bitrate.peak > best.bitrate.peak) best = { rendition: best.rendition, bitrate };
  }
  return best;
}

/** Frames per second of the newest media, for a source that keeps to no constant rate. */
function measuredRate(rendition: Rendition): number | undefined {
  const last = rendition.window.listed.at(-1);
  const { frames, duration } = last ?? rendition.open?.size ?? { frames: 0, duration: 0 };
  // The first picture lasts for no more than a tick until the next one comes.
  return duration < MEASURED_US || frames === 0
    ? undefined
    : Math.round((frames * 1_000_000_000) / duration) / 1000;
}
