import { type CodecParameters, ParseError, type Track } from '@onair/media';
import { parseAvcConfig, parseHevcConfig } from '@onair/media/bitstream';
import { streamTypeOf } from '@onair/media/mpegts';

/** The tracks of an epoch that are muxed, with the names of their renditions. */
export interface TsChoice {
  readonly video: Track | undefined;
  readonly audio: Track | undefined;
  /** Rendition that the audio track is served as. */
  readonly audioName: string;
}

/**
 * The first video track and the first audio track that a transport stream carries, or the codec for whose sake
 * there is none: a video or a sound that is left out without a word would be taken for a fault.
 * @param tracks of one epoch, video first.
 */
export function chooseTracks(tracks: readonly Track[]): TsChoice | { readonly refused: string } {
  const video = tracks.find(({ parameters }) => parameters.kind === 'video');
  if (video !== undefined && !fits(video.parameters)) {
    return { refused: video.parameters.codec };
  }
  const sound = tracks.filter(({ parameters }) => parameters.kind === 'audio');
  const audio = sound.find(({ parameters }) => fits(parameters));
  if (audio === undefined && sound[0] !== undefined) return { refused: sound[0].parameters.codec };
  return { video, audio, audioName: audio === sound[0] ? 'audio' : `audio-${audio?.id}` };
}

/** True if a transport stream can carry it: pictures need the parameter sets of their description. */
function fits(parameters: CodecParameters): boolean {
  if (streamTypeOf(parameters) === undefined) return false;
  try {
    if (parameters.codec === 'h264') parseAvcConfig(parameters.description);
    if (parameters.codec === 'hevc') parseHevcConfig(parameters.description);
    return true;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
