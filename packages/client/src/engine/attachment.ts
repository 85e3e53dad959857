import type { AppendQueueOwner } from './append-queue.ts';
import type { MediaSourcePlatform, MediaSourcePort } from './ports.ts';
import type { Span } from './ranges.ts';
import { type EngineTrack, TrackBuffer } from './track-buffer.ts';

/** What an {@link Attachment} tells and asks whoever made it. */
export interface AttachmentOwner extends Pick<AppendQueueOwner, 'position' | 'done' | 'failed'> {
  opened(): void;
  wantsMedia(wanted: boolean): void;
}

/** One media source with its buffers, from attaching to letting go. */
export class Attachment {
  readonly buffers: readonly TrackBuffer[];
  /** When the position was first set, ms. */
  placedAt: number | undefined;
  settled = false;
  /** Where the engine itself moved the position last. */
  ownSeek: number | undefined;
  /** Since when a seek has been under way, ms. */
  seekingSince: number | undefined;
  readonly #source: MediaSourcePort;
  readonly #detach: () => void;
  readonly #owner: AttachmentOwner;

  constructor(platform: MediaSourcePlatform, tracks: readonly EngineTrack[], owner: AttachmentOwner) {
    this.#owner = owner;
    this.buffers = tracks.map((track) => new TrackBuffer(track, owner));
    const { source, detach } = platform.attach();
    this.#source = source;
    this.#detach = detach;
    source.addEventListener('sourceopen', this.#onOpen);
    source.addEventListener('startstreaming', this.#onStart);
    source.addEventListener('endstreaming', this.#onEnd);
  }

  /** Tells the browser where the viewer may go, so that its own controls know. */
  tellSeekable(spans: readonly Span[]): void {
    const first = spans[0];
    const last = spans.at(-1);
    if (first === undefined || last === undefined || this.#source.readyState !== 'open') return;
    this.#source.setLiveSeekableRange?.(first.start, last.end);
  }

  close(): void {
    this.#source.removeEventListener('sourceopen', this.#onOpen);
    this.#source.removeEventListener('startstreaming', this.#onStart);
    this.#source.removeEventListener('endstreaming', this.#onEnd);
    for (const buffer of this.buffers) buffer.close();
    this.#detach();
  }

  readonly #onOpen = (): void => {
    this.#source.removeEventListener('sourceopen', this.#onOpen);
    try {
      this.#source.duration = Number.POSITIVE_INFINITY;
      // All buffers first: browsers take no further one after the first init segment.
      const ports = this.buffers.map((buffer) => this.#source.addSourceBuffer(buffer.track.mime));
      for (const [i, buffer] of this.buffers.entries()) buffer.attach(ports[i]!);
    } catch (error) {
      this.#owner.failed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#owner.opened();
  };

  readonly #onStart = (): void => this.#owner.wantsMedia(true);
  readonly #onEnd = (): void => this.#owner.wantsMedia(false);
}
