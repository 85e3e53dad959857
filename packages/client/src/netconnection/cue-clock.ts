/** Most cues that wait for their picture; beyond that the oldest is told early. */
const MAX_WAITING = 1_000;
/** A cue waits no longer than this, in milliseconds, unless the picture is paused. */
const MAX_WAIT_MS = 5_000;
/** How often the picture is looked at, in milliseconds. */
const LOOK_MS = 20;

interface Cue {
  readonly atMs: number;
  readonly tell: () => void;
  leftMs: number;
}

/** Tells cues when the picture that they belong to is shown. */
export class CueClock {
  /** Where the picture is, in milliseconds of the stream; undefined if none is shown. */
  readonly #position: () => number | undefined;
  #waiting: Cue[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** True while the picture stands still because that is wanted. */
  paused = false;

  constructor(position: () => number | undefined) {
    this.#position = position;
  }

  /** Tells at once if the picture is there already, or if there is none. */
  at(atMs: number, tell: () => void): void {
    const position = this.#position();
    if (position === undefined || position >= atMs) {
      tell();
      return;
    }
    this.#waiting.push({ atMs, tell, leftMs: MAX_WAIT_MS });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()!.tell();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** Forgets what waits: the picture will not come. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #look(): void {
    const position = this.#position();
    const due: Cue[] = [];
    this.#waiting = this.#waiting.filter((cue) => {
      if (!this.paused) cue.leftMs -= LOOK_MS;
      const waits = position !== undefined && position < cue.atMs && cue.leftMs > 0;
      if (!waits) due.push(cue);
      return waits;
    });
    if (this.#waiting.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const { tell } of due) tell();
  }
}
