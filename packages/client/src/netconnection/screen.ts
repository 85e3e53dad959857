import type { Tag } from '@onair/media/flv';
import { browserPlatform } from '../engine/browser-platform.ts';
import { MseEngine } from '../engine/mse-engine.ts';
import { FlvTransmuxer } from '../sources/flv-transmuxer.ts';

/** Whoever feeds a screen. */
export interface ScreenOwner {
  /** All that a decoder needs to begin has to be pushed again. */
  again(): void;
  /** True if the picture is to move. */
  wanted(): boolean;
  failed(error: Error): void;
}

/** Plays the media messages of a stream on a media element. */
export class Screen {
  readonly #video: HTMLVideoElement;
  readonly #owner: ScreenOwner;
  readonly #engine: MseEngine | undefined;
  #transmuxer: FlvTransmuxer | undefined;

  constructor(video: HTMLVideoElement, owner: ScreenOwner) {
    this.#video = video;
    this.#owner = owner;
    const platform = browserPlatform(video);
    if (platform === undefined) {
      owner.failed(new Error('this browser has no Media Source Extensions'));
      return;
    }
    this.#engine = new MseEngine(video, platform, 'balanced', {
      replaced: () => this.play(),
      resync: () => {
        this.#begin();
        owner.again();
      },
      wantsMedia: () => undefined,
      failed: (error) => owner.failed(error),
    });
    this.#begin();
  }

  /** Seconds of media ahead of the picture. */
  get ahead(): number {
    return this.#engine?.figures.ahead ?? 0;
  }

  /** Seconds of the picture on the stream's time. */
  get position(): number {
    return this.#video.currentTime;
  }

  /** Takes a media message, or the stream's metadata. */
  push(tag: Tag): void {
    this.#transmuxer?.take(tag);
  }

  /** To the newest media. */
  goLive(): void {
    this.#engine?.goLive();
  }

  /** Lets the picture move if that is wanted; without sound where the browser wants a click for it. */
  play(): void {
    if (!this.#owner.wanted()) return;
    this.#video.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || this.#video.muted) return;
      this.#video.muted = true;
      this.#video.play().catch(() => undefined);
    });
  }

  close(): void {
    this.#transmuxer = undefined;
    this.#engine?.close();
  }

  #begin(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#transmuxer = new FlvTransmuxer({
      tracks: (tracks) => engine.configure(tracks),
      init: (track, bytes) => engine.init(track, bytes),
      chunk: (chunk) => engine.append(chunk),
      event: () => undefined, // the stream's own data messages tell
    });
  }
}
