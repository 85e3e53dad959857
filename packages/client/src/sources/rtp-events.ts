import { eventOf } from '@onair/media';
import type { SourceListener } from './source.ts';

/** Name of the data channel on which the server tells events. */
const EVENT_CHANNEL = 'onair.events';
/** Ticks of RTP pictures in a second. */
const VIDEO_CLOCK = 90_000;

/** What is known of the picture that is shown. */
interface Shown {
  readonly mediaTime: number;
  /** undefined where the browser does not tell. */
  readonly rtpTimestamp: number | undefined;
}

/** Takes the events of a stream over WebRTC and finds their pictures by the RTP timestamps of those that are shown. */
export class RtpEvents {
  readonly #media: HTMLVideoElement;
  readonly #listener: Pick<SourceListener, 'event'>;
  #frame: number | undefined;
  #shown: Shown | undefined;

  constructor(media: HTMLVideoElement, listener: Pick<SourceListener, 'event'>) {
    this.#media = media;
    this.#listener = listener;
  }

  /** Asks for events; to be called before the offer is made. */
  open(connection: RTCPeerConnection): void {
    this.#shown = undefined;
    const channel = connection.createDataChannel(EVENT_CHANNEL);
    channel.addEventListener('message', ({ data }) => this.#take(data));
    this.#watch();
  }

  /** Safe to call twice. */
  close(): void {
    if (this.#frame !== undefined) this.#media.cancelVideoFrameCallback?.(this.#frame);
    this.#frame = undefined;
  }

  #watch(): void {
    if (this.#frame !== undefined) return;
    this.#frame = this.#media.requestVideoFrameCallback?.((_now, { mediaTime, rtpTimestamp }) => {
      this.#frame = undefined;
      this.#shown = { mediaTime, rtpTimestamp };
      this.#watch();
    });
  }

  #take(text: unknown): void {
    const message = parse(text);
    const event = message?.type === 'event' ? eventOf(message.event) : undefined;
    if (event === undefined) return;
    const { rtp } = message as { readonly rtp?: unknown };
    this.#listener.event(event, () => this.#placeOf(typeof rtp === 'number' ? rtp : undefined));
  }

  /** Without pictures, or where the browser keeps their timestamps to itself, an event is for now. */
  #placeOf(rtp: number | undefined): number | undefined {
    const shown = this.#shown;
    if (rtp === undefined) return this.#media.currentTime;
    if (shown === undefined) return undefined;
    if (shown.rtpTimestamp === undefined) return this.#media.currentTime;
    // The difference of two 32-bit counters, signed.
    return shown.mediaTime + ((rtp - shown.rtpTimestamp) | 0) / VIDEO_CLOCK;
  }
}

function parse(text: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
