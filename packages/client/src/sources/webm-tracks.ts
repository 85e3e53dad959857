import type { EngineTrack } from '../engine/index.ts';
import type { WebmWrapper } from './webm-wrapper.ts';

type Module = typeof import('./webm-wrapper.ts');

/** The type that browsers take in place of one that they do not. */
const WEBM_VP8 = 'video/webm; codecs="vp8"';
/** Pieces that wait for the code that wraps them, at most: some seconds. */
const MAX_WAITING = 1_000;

interface Wrapped {
  wrapper?: WebmWrapper;
}

/**
 * Pictures that browsers play in WebM only, VP8, are given to them as such; everything else passes as it is. The code
 * for it is loaded where there are such pictures.
 */
export class WebmTracks {
  readonly #supports: (mime: string) => boolean;
  readonly #load: () => Promise<Module>;
  readonly #wrapped = new Map<number, Wrapped>();
  #module: Module | undefined;
  #waiting: (() => void)[] = [];
  #loading = false;

  constructor(
    supports: (mime: string) => boolean,
    load = (): Promise<Module> => import('./webm-wrapper.ts'),
  ) {
    this.#supports = supports;
    this.#load = load;
  }

  /** The tracks from now on, as a source buffer can have them. */
  tracks<T extends EngineTrack & { readonly codecString: string }>(
    tracks: readonly T[],
  ): readonly EngineTrack[] {
    this.#wrapped.clear();
    this.#waiting = [];
    return tracks.map((track) => {
      const { mime, codecString } = track;
      if (!/^vp0?8/.test(codecString) || this.#supports(mime) || !this.#supports(WEBM_VP8)) return track;
      this.#wrapped.set(track.id, {});
      return { ...track, mime: WEBM_VP8 };
    });
  }

  /** Hands over the init segment of a track, now or once it can be made. */
  init(track: number, bytes: Uint8Array, use: (bytes: Uint8Array) => void): void {
    const wrapped = this.#wrapped.get(track);
    if (wrapped === undefined) use(bytes);
    else
      this.#soon(({ WebmWrapper }) => {
        wrapped.wrapper = new WebmWrapper(bytes);
        use(wrapped.wrapper.init);
      });
  }

  /** Hands over a chunk of a track likewise, in order. */
  chunk(track: number, bytes: Uint8Array, use: (bytes: Uint8Array) => void): void {
    const wrapped = this.#wrapped.get(track);
    if (wrapped === undefined) use(bytes);
    else
      this.#soon(() => {
        if (wrapped.wrapper !== undefined) use(wrapped.wrapper.wrap(bytes));
      });
  }

  /** Does what comes after all that was handed in so far. */
  after(step: () => void): void {
    if (this.#waiting.length === 0) step();
    else this.#waiting.push(step);
  }

  #soon(step: (module: Module) => void): void {
    const careful = (): void => {
      try {
        step(this.#module!);
      } catch {
        // A malformed chunk is left out, as a decoder would.
      }
    };
    if (this.#module !== undefined) {
      careful();
      return;
    }
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(careful);
    if (this.#loading) return;
    this.#loading = true;
    this.#load().then(
      (made) => {
        this.#module = made;
        for (const step of this.#waiting.splice(0)) step();
      },
      () => {
        this.#loading = false;
      },
    );
  }
}
