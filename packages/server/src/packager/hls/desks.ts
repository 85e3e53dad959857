import type { PlaylistBody } from './playlist-body.ts';
import type { Waiters } from './waiters.ts';

/** A text and what it shows. */
interface Rendered {
  readonly state: string;
  readonly body: PlaylistBody;
  /** {@link Desks.changes} when it was looked at last. */
  seen: number;
}

/** What requests need of one rendition. */
export class Desk {
  /** Those who wait for the next version of its playlist. */
  readonly waiters: Waiters;
  /** By kind of text. */
  readonly #rendered = new Map<string, Rendered>();

  constructor(waiters: Waiters) {
    this.waiters = waiters;
  }

  /**
   * A text, rendered once for what it shows. Who asks by the thousand when a part is there costs a comparison.
   * @param changes rises with everything that a text may show. @param state tells apart what it does show.
   */
  text(kind: string, changes: number, state: () => string, render: () => PlaylistBody): PlaylistBody {
    const known = this.#rendered.get(kind);
    if (known?.seen === changes) return known.body;
    const shown = state();
    if (known?.state === shown) {
      known.seen = changes;
      return known.body;
    }
    const body = render();
    this.#rendered.set(kind, { state: shown, body, seen: changes });
    return body;
  }
}

/** The desks of a stream, by rendition, and those who wait for the first playlist of all. */
export class Desks {
  readonly lobby: Waiters;
  readonly #newWaiters: () => Waiters;
  readonly #desks = new Map<string, Desk>();
  #changes = 0;

  constructor(newWaiters: () => Waiters) {
    this.#newWaiters = newWaiters;
    this.lobby = newWaiters();
  }

  /** Rises whenever some playlist may have something new to tell. */
  get changes(): number {
    return this.#changes;
  }

  /** Requests that wait at present. */
  get waiting(): number {
    let size = this.lobby.size;
    for (const { waiters } of this.#desks.values()) size += waiters.size;
    return size;
  }

  /** The desk of a rendition. */
  of(name: string): Desk {
    let desk = this.#desks.get(name);
    if (desk === undefined) {
      desk = new Desk(this.#newWaiters());
      this.#desks.set(name, desk);
    }
    return desk;
  }

  /** There are other renditions than before. */
  replaced(): void {
    this.#changes++;
  }

  /** A rendition has something new: lets those go who waited for it. */
  changed(name: string): void {
    this.#changes++;
    this.of(name).waiters.check();
    this.lobby.check();
  }

  /** Lets everybody go. */
  close(): void {
    this.lobby.close();
    for (const { waiters } of this.#desks.values()) waiters.close();
  }
}
