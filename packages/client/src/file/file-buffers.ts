import { AppendQueue } from '../engine/append-queue.ts';
import type { BufferPort, MediaSourcePlatform, MediaSourcePort } from '../engine/ports.ts';
import { intersect, type Span, spansOf } from '../engine/ranges.ts';
import type { EngineTrack } from '../engine/track-buffer.ts';

/** What the buffers ask and tell. */
export interface FileBuffersOwner {
  /** Seconds. */
  position(): number;
  /** Media came in or went. */
  changed(): void;
  failed(error: Error): void;
}

/** The media source of a file: one buffer per track, a duration, an end. */
export class FileBuffers {
  readonly #source: MediaSourcePort;
  readonly #detach: () => void;
  readonly #queues = new Map<number, AppendQueue>();
  readonly #tracks: readonly EngineTrack[];
  readonly #duration: number;
  readonly #owner: FileBuffersOwner;
  #ports: readonly BufferPort[] = [];
  /** The last chunk of the file has come. */
  #complete = false;

  /** @param duration seconds. */
  constructor(
    platform: MediaSourcePlatform,
    tracks: readonly EngineTrack[],
    duration: number,
    owner: FileBuffersOwner,
  ) {
    this.#tracks = tracks;
    this.#duration = duration;
    this.#owner = owner;
    for (const { id, mime } of tracks) {
      const queue = new AppendQueue(mime, {
        position: () => owner.position(),
        done: () => this.#done(),
        dropped: () => owner.failed(new Error('this browser has no room for the media')),
        failed: (error) => owner.failed(error),
      });
      this.#queues.set(id, queue);
    }
    const { source, detach } = platform.attach();
    this.#source = source;
    this.#detach = detach;
    source.addEventListener('sourceopen', this.#onOpen);
  }

  /** Where all tracks have media. */
  get spans(): Span[] {
    return intersect(this.#ports.map((port) => spansOf(port.buffered)));
  }

  /** Sets up the decoder of a track. */
  init(track: number, bytes: Uint8Array): void {
    const info = this.#tracks.find(({ id }) => id === track);
    if (info !== undefined) this.#queues.get(track)?.init(info.mime, bytes);
  }

  /** Appends a chunk, which belongs to the buffers from now on. @param entry seconds, if decoding can start here. */
  append(track: number, bytes: Uint8Array, entry: number | undefined): void {
    this.#queues.get(track)?.append(bytes, entry);
  }

  /** Throws all media away: what comes next begins at a keyframe elsewhere. */
  clear(): void {
    this.#complete = false;
    for (const queue of this.#queues.values()) queue.clear();
  }

  /** Nothing follows: the media element may end where the media ends. */
  complete(): void {
    this.#complete = true;
    this.#end();
  }

  close(): void {
    this.#source.removeEventListener('sourceopen', this.#onOpen);
    for (const queue of this.#queues.values()) queue.close();
    this.#detach();
  }

  readonly #onOpen = (): void => {
    this.#source.removeEventListener('sourceopen', this.#onOpen);
    try {
      this.#source.duration = this.#duration;
      // All buffers first: browsers take no further one after the first init segment.
      this.#ports = this.#tracks.map(({ mime }) => this.#source.addSourceBuffer(mime));
      for (const [i, { id }] of this.#tracks.entries()) this.#queues.get(id)?.attach(this.#ports[i]!);
    } catch (error) {
      this.#owner.failed(error instanceof Error ? error : new Error(String(error)));
    }
  };

  #done(): void {
    this.#end();
    this.#owner.changed();
  }

  #end(): void {
    const idle = this.#ports.length > 0 && this.#ports.every(({ updating }) => !updating);
    const empty = [...this.#queues.values()].every(({ labels }) => labels.length === 0);
    if (this.#complete && idle && empty && this.#source.readyState === 'open') this.#source.endOfStream?.();
  }
}
