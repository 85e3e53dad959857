import type { Track } from '@onair/media';
import { AUDIO_FOURCC, fourCcText, VIDEO_FOURCC } from '@onair/media/flv';
import { CAPS_EX, type ConnectRequest } from '@onair/media/rtmp';

/** Codecs that every player of this protocol knows by their old numbers. */
const OLD_CODECS: ReadonlySet<string> = new Set(['h264', 'aac', 'mp3']);

/** True if the player, or the server that is published to, takes several tracks of a kind. */
export function takesMultitrack({ capsEx }: Pick<ConnectRequest, 'capsEx'>): boolean {
  return (capsEx & CAPS_EX.multitrack) !== 0;
}

/** True if exact times are of use: the player knows nanosecond offsets, and the picture's header has a place for them. */
export function takesExactTimes({ capsEx }: ConnectRequest, tracks: readonly Track[]): boolean {
  const wanted = CAPS_EX.modEx | CAPS_EX.nanoOffset;
  const video = tracks.find(({ parameters }) => parameters.kind === 'video')?.parameters;
  return (capsEx & wanted) === wanted && video !== undefined && !OLD_CODECS.has(video.codec);
}

/**
 * Why a player cannot play these tracks, for its status; undefined if it can. A player that lists codecs is
 * believed about the picture only, since the most used one lists no sound though it plays it.
 * @param assumed whether players that list nothing are taken for capable of everything.
 */
export function lackOf(
  { fourCcList }: ConnectRequest,
  tracks: readonly Track[],
  assumed: boolean,
): string | undefined {
  if (fourCcList === undefined ? assumed : fourCcList.includes('*')) return undefined;
  for (const kind of ['video', 'audio'] as const) {
    const parameters = tracks.find((track) => track.parameters.kind === kind)?.parameters;
    if (parameters === undefined || parameters.kind === 'data' || OLD_CODECS.has(parameters.codec)) continue;
    if (fourCcList !== undefined && kind === 'audio') continue;
    const fourCc = fourCcText(
      parameters.kind === 'video' ? VIDEO_FOURCC[parameters.codec] : AUDIO_FOURCC[parameters.codec],
    );
    if (fourCcList?.includes(fourCc) === true) continue;
    const what = kind === 'video' ? 'picture' : 'sound';
    return `The ${what} is ${fourCc}, which this player does not list in fourCcList (Enhanced RTMP).`;
  }
  return undefined;
}
