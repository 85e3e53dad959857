import type { Sample, Track } from '@onair/media';
import type { PictureTarget } from './picture-format.ts';
import { type MadePicture, PictureProgram } from './picture-program.ts';

/** Pictures that are turned together. */
export interface PictureBatch {
  readonly track: Track;
  readonly to: PictureTarget;
  /** Of the track, in decoding order, beginning with a key frame. */
  readonly samples: readonly Sample[];
  /** Index of the first picture that is wanted; those in front of it only lead to it. */
  readonly first: number;
  /** Name or path of `ffmpeg`. */
  readonly program: string;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/**
 * Turns pictures that are all there into another codec, the first of them a key frame, by a program of its own that ends
 * with them. A picture that cannot be decoded, or is not shown, is left out.
 * @throws Error with what the program complains of, or the signal's reason.
 */
export function turnPictures(batch: PictureBatch): Promise<MadePicture[]> {
  const { track, to, samples, first, program, signal } = batch;
  const base = samples[0]?.dts ?? 0;
  const fromMs = Math.round((((samples[first]?.pts ?? base) - base) * 1000) / track.timebase);
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    const made: MadePicture[] = [];
    const running = new PictureProgram(
      track,
      to,
      {
        picture: (picture) => void made.push(picture),
        failed: (reason) => settle(() => reject(new Error(reason))),
        ended: () => settle(() => resolve(made)),
      },
      { now: () => performance.now(), program, fromMs },
    );
    const abort = (): void => {
      running.close();
      settle(() => reject(signal.reason));
    };
    const settle = (end: () => void): void => {
      signal.removeEventListener('abort', abort);
      end();
    };
    signal.addEventListener('abort', abort);
    for (const sample of samples) running.push(sample);
    running.end();
  });
}
