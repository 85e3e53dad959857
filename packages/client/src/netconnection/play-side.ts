import type { Tag } from '@onair/media/flv';
import { CueClock } from './cue-clock.ts';
import type { Screen } from './screen.ts';

/** Most bytes that are kept for a screen that is still to come. */
const MAX_KEPT_BYTES = 16_777_216;
/** Most messages that are kept of a stream without pictures: some seconds of sound. */
const MAX_SOUND = 250;
/** Codec ids of FLV v10.1 §E.4.2 and §E.4.3 whose first packet sets the decoder up. */
const AVC = 7;
const AAC = 10;
/** Sound format of Enhanced RTMP. */
const ENHANCED_AUDIO = 9;

/** What the playing half of a stream tells. */
export interface PlaySideListener {
  /** The picture moves, or has to wait for media. */
  moving(moving: boolean): void;
  failed(error: Error): void;
}

/** The playing half of a stream: keeps what a decoder needs to begin, and feeds a media element. */
export class PlaySide {
  readonly #listener: PlaySideListener;
  #video: HTMLVideoElement | undefined;
  #screen: Screen | undefined;
  /** Cues of the stream, told with their pictures. */
  readonly cues = new CueClock(() => (this.#screen === undefined ? undefined : this.#screen.position * 1000));
  readonly #set = new Map<string, Tag>();
  #group: Tag[] = [];
  #groupBytes = 0;
  #paused = false;
  #latestMs = 0;
  readonly #moving = (event: Event): void => this.#listener.moving(event.type === 'playing');

  constructor(listener: PlaySideListener) {
    this.#listener = listener;
  }

  /** Seconds of media that were received. */
  get received(): number {
    return this.#latestMs / 1000;
  }

  /** Seconds of media ahead of the picture. */
  get ahead(): number {
    return this.#screen?.ahead ?? 0;
  }

  /** Seconds of the picture on the stream's time. */
  get position(): number {
    return this.#screen?.position ?? 0;
  }

  /** Shows the stream on an element, or on none. */
  attach(video: HTMLVideoElement | undefined): void {
    this.#hide();
    for (const type of ['playing', 'waiting']) this.#video?.removeEventListener(type, this.#moving);
    this.#video = video;
    for (const type of ['playing', 'waiting']) video?.addEventListener(type, this.#moving);
    this.#show();
  }

  /** Forgets all media: another stream, or another place in it, follows. */
  reset(): void {
    this.cues.clear();
    this.#hide();
    this.#set.clear();
    this.#group = [];
    this.#groupBytes = 0;
    this.#show();
  }

  /** Takes a media message, or the stream's metadata. */
  push(tag: Tag): void {
    this.#latestMs = tag.timestampMs;
    const role = roleOf(tag);
    if (role === 'set-up') this.#set.set(tag.type, tag);
    else {
      if (role === 'key' || this.#groupBytes > MAX_KEPT_BYTES) {
        this.#group = [];
        this.#groupBytes = 0;
      }
      this.#group.push(tag);
      this.#groupBytes += tag.body.length;
      // Without pictures any place is one to begin at.
      if (!this.#set.has('video') && this.#group.length > MAX_SOUND) {
        this.#groupBytes -= this.#group.shift()!.body.length;
      }
    }
    this.#screen?.push(tag);
  }

  /** Stops and goes on. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.cues.paused = paused;
    if (this.#video === undefined) return;
    if (paused) this.#video.pause();
    else {
      this.#screen?.goLive();
      this.#screen?.play();
    }
  }

  close(): void {
    this.cues.clear();
    this.attach(undefined);
  }

  #hide(): void {
    this.#screen?.close();
    this.#screen = undefined;
  }

  #show(): void {
    const video = this.#video;
    if (video === undefined) return;
    // The page may want calls alone: what shows pictures is loaded when there are some to be shown.
    import('./screen.ts').then(
      ({ Screen }) => {
        if (this.#video !== video || this.#screen !== undefined) return;
        const screen: Screen = new Screen(video, {
          again: () => this.#feed(screen),
          wanted: () => !this.#paused,
          failed: (error) => this.#listener.failed(error),
        });
        this.#screen = screen;
        this.#feed(screen);
      },
      (error: Error) => this.#listener.failed(error),
    );
  }

  #feed(screen: Screen): void {
    for (const tag of this.#set.values()) screen.push(tag);
    for (const tag of this.#group) screen.push(tag);
  }
}

/** What a message is for: it sets a decoder up, can be decoded by itself, or neither. */
function roleOf({ type, body }: Tag): 'set-up' | 'key' | 'other' {
  const [first = 0, second = 0] = body;
  if (type === 'script') return 'set-up';
  if (type === 'audio') {
    const format = first >> 4;
    if (format === ENHANCED_AUDIO) return (first & 0x0f) === 0 ? 'set-up' : 'other';
    return format === AAC && second === 0 ? 'set-up' : 'other';
  }
  const enhanced = (first & 0x80) !== 0;
  if (enhanced ? (first & 0x0f) === 0 : (first & 0x0f) === AVC && second === 0) return 'set-up';
  return ((first >> 4) & 7) === 1 ? 'key' : 'other';
}
