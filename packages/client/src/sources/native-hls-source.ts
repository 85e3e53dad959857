import type { LatencyClass } from '../engine/live-edge.ts';
import { playlistAt } from './availability.ts';
import { BackOff } from './back-off.ts';
import type { Source, SourceFigures, SourceListener } from './source.ts';

/** What a {@link NativeHlsSource} works with. */
export interface NativeHlsOptions {
  readonly address: string;
  readonly media: HTMLVideoElement & {
    /** WebKit: the date of media time 0 by EXT-X-PROGRAM-DATE-TIME. */
    getStartDate?(): Date;
  };
  readonly latency: LatencyClass;
}

/** Pause before asking again for a stream that is not there, ms. */
const ASK_AGAIN_MS = 1500;
/** Pause before looking again for the first whole segment, ms. */
const STARTING_MS = 500;
/** Seconds kept to the end of what can be sought: the browser's own players keep three segments. */
const EDGE_SECONDS = 3;
/** A live position that stands this long has no publisher, ms. */
const ABSENT_MS = 4000;
const LOOK_MS = 1000;

/** Plays HLS by the media element itself: Safari everywhere, recent Chromium too. */
export class NativeHlsSource implements Source {
  readonly transport = 'hls';
  readonly #options: NativeHlsOptions;
  readonly #listener: SourceListener;
  readonly #backOff = new BackOff();
  readonly #look: ReturnType<typeof setInterval>;
  readonly #abort = new AbortController();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #edge = { end: 0, grewAt: 0, state: '' };
  #counts = { reconnects: 0, stalls: 0 };

  constructor(options: NativeHlsOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#look = setInterval(() => this.#watch(), LOOK_MS);
    const { signal } = this.#abort;
    options.media.addEventListener('error', () => this.#failed(), { signal });
    options.media.addEventListener('ended', () => this.#over(), { signal });
    options.media.addEventListener('waiting', () => this.#counts.stalls++, { signal });
    options.media.addEventListener('playing', () => this.#tell('live'), { signal });
  }

  start(): void {
    if (this.#options.media.canPlayType('application/vnd.apple.mpegurl') === '') {
      this.#listener.failed({ code: 'unsupported', detail: 'this browser does not play HLS by itself' });
      return;
    }
    this.#listener.state({ kind: 'connecting' });
    void this.#open();
  }

  setPaused(paused: boolean): void {
    if (!paused) this.goLive();
  }

  goLive(): void {
    const { seekable, currentTime } = this.#options.media;
    if (seekable.length === 0) return;
    const target = seekable.end(seekable.length - 1) - EDGE_SECONDS;
    if (target > currentTime) this.#options.media.currentTime = target;
  }

  seekTo(position: number): void {
    this.#options.media.currentTime = position;
  }

  isLive(): boolean {
    const { seekable, currentTime } = this.#options.media;
    if (seekable.length === 0) return false;
    return seekable.end(seekable.length - 1) - currentTime < 3 * EDGE_SECONDS;
  }

  setLatency(_latency: LatencyClass): void {
    // The browser alone decides how far from the edge it plays.
  }

  figures(): SourceFigures {
    const { media } = this.#options;
    const { buffered, currentTime } = media;
    const ahead = buffered.length === 0 ? 0 : Math.max(0, buffered.end(buffered.length - 1) - currentTime);
    const start = media.getStartDate?.().getTime();
    const known = start !== undefined && Number.isFinite(start) && start > 0;
    return {
      latency: known ? (Date.now() - start) / 1000 - currentTime : undefined,
      ahead,
      bitrate: undefined,
      codecs: '',
      reconnects: this.#counts.reconnects,
      skipped: 0,
      stalls: this.#counts.stalls,
      clockOffset: undefined,
    };
  }

  close(): void {
    clearInterval(this.#look);
    clearTimeout(this.#retry);
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#options.media.removeAttribute('crossorigin');
    this.#options.media.removeAttribute('src');
    this.#options.media.load();
  }

  async #open(): Promise<void> {
    const { address, media } = this.#options;
    const found = await playlistAt(address, this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    switch (found) {
      case 'there':
        this.#edge = { end: 0, grewAt: performance.now(), state: '' };
        // Otherwise a page could not look at the pictures of another origin's stream, as the burnt-in clock needs.
        if (new URL(address).origin !== location.origin) media.crossOrigin = 'anonymous';
        media.src = address;
        this.#listener.replaced();
        break;
      case 'starting':
        this.#listener.state({ kind: 'connecting' });
        this.#again(STARTING_MS);
        break;
      case 'waiting':
        this.#listener.state({ kind: 'waiting' });
        this.#again(ASK_AGAIN_MS);
        break;
      case 'denied':
        this.#listener.failed({ code: 'denied', detail: 'the server does not allow it' });
        break;
      case 'unreachable':
        this.#unreachable();
        break;
    }
  }

  #unreachable(): void {
    if (this.#backOff.exhausted) {
      this.#listener.failed({ code: 'unreachable', detail: 'no playlist could be loaded' });
      return;
    }
    this.#counts.reconnects++;
    this.#listener.state({ kind: 'reconnecting', reason: 'no playlist could be loaded' });
    this.#again(this.#backOff.next());
  }

  #again(pause: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#open(), pause);
  }

  #failed(): void {
    const { error } = this.#options.media;
    if (error === null) return;
    if (error.code === MediaError.MEDIA_ERR_DECODE) {
      this.#listener.failed({ code: 'media', detail: error.message || 'the media cannot be decoded' });
      return;
    }
    this.#unreachable();
  }

  #over(): void {
    this.#tell('ended');
    this.#again(ASK_AGAIN_MS);
  }

  #watch(): void {
    const { seekable, paused, currentTime } = this.#options.media;
    const end = Math.max(currentTime, seekable.length === 0 ? 0 : seekable.end(seekable.length - 1));
    if (end !== this.#edge.end || paused) {
      this.#edge.end = end;
      this.#edge.grewAt = performance.now();
      if (this.#edge.state === 'absent') this.#tell('live');
    } else if (this.#edge.state === 'live' && performance.now() - this.#edge.grewAt > ABSENT_MS) {
      this.#tell('absent');
    }
  }

  #tell(kind: 'live' | 'absent' | 'ended'): void {
    if (kind === 'live') this.#backOff.reset();
    if (this.#edge.state === kind) return;
    this.#edge.state = kind;
    this.#listener.state({ kind });
  }
}
