import { BackOff } from '../sources/back-off.ts';
import { OfferRefused } from '../webrtc/http-session.ts';
import { OfferedConnection } from '../webrtc/offered-connection.ts';

/** How things stand with a {@link WhipPublisher}. */
export type PublisherState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly reason: string }
  /** It will not try again: a wrong key, a name in use, codecs that the server does not take. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

/** How to publish. */
export interface WhipPublisherOptions {
  /** Address of the stream: `/live/NAME`, or the whole URL; with or without `/whip`. */
  readonly url: string;
  /** Stream key. */
  readonly key?: string;
  /** Video codec to be preferred, as in `video/H264`: it goes to the most players. H264 unless given. */
  readonly codec?: 'H264' | 'VP8' | 'VP9' | 'AV1';
  /** Most bits per second of the picture; 3,000,000 unless given. */
  readonly maxBitrate?: number;
  /** STUN and TURN servers and the like for the connection. */
  readonly peer?: RTCConfiguration;
  /** Told of every change. */
  readonly onState?: (state: PublisherState) => void;
}

/** Refusals that another try may change. */
const PASSING: ReadonlySet<number> = new Set([0, 408, 409, 429, 500, 502, 503, 504]);

/** Publishes a MediaStream by WHIP (RFC 9725) and comes back by itself after a loss of the connection. */
export class WhipPublisher {
  readonly #options: WhipPublisherOptions;
  readonly #backOff = new BackOff();
  readonly #offered = new OfferedConnection();
  #stream: MediaStream | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #state: PublisherState = { kind: 'idle' };

  constructor(options: WhipPublisherOptions) {
    this.#options = options;
  }

  /** State as last told. */
  get state(): PublisherState {
    return this.#state;
  }

  /** The connection at present, for statistics. */
  get connection(): RTCPeerConnection | undefined {
    return this.#offered.connection;
  }

  /** Begins to publish; the stream's tracks stay the caller's. */
  start(stream: MediaStream): void {
    this.#stream = stream;
    this.#backOff.reset();
    void this.#open({ kind: 'connecting' });
  }

  /** Sends another track in place of the one of its kind, e.g. of another camera, without a new connection. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    const sender = this.connection?.getSenders().find((one) => one.track?.kind === track.kind);
    await sender?.replaceTrack(track);
  }

  /** Ends the publication. Safe to call twice. */
  stop(): void {
    this.#stream = undefined;
    this.#drop();
    this.#tell({ kind: 'idle' });
  }

  #drop(): void {
    clearTimeout(this.#retry);
    this.#offered.drop();
  }

  async #open(state: PublisherState): Promise<void> {
    this.#drop();
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#tell(state);
    const connection = new RTCPeerConnection(this.#options.peer);
    const offer = this.#offered.take(connection, (connectionState) => {
      if (connectionState === 'connected') {
        this.#backOff.reset();
        this.#tell({ kind: 'live' });
      } else this.#lost(`connection ${connectionState}`);
    });
    for (const track of stream.getTracks()) await this.#add(connection, track, stream);
    if (connection !== this.connection) return;
    try {
      await offer(this.#endpoint(), this.#options.key);
    } catch (error) {
      this.#refused(error);
    }
  }

  #endpoint(): string {
    const url = new URL(this.#options.url, location.href);
    if (!url.pathname.endsWith('/whip')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/whip`;
    return url.href;
  }

  async #add(connection: RTCPeerConnection, track: MediaStreamTrack, stream: MediaStream): Promise<void> {
    const { codec = 'H264', maxBitrate = 3_000_000 } = this.#options;
    const transceiver = connection.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    if (track.kind !== 'video') return;
    const all = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
    const wanted = all.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
    if (wanted.length > 0) {
      transceiver.setCodecPreferences([...wanted, ...all.filter((one) => !wanted.includes(one))]);
    }
    const { sender } = transceiver;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxBitrate = maxBitrate;
    // Another size would begin another epoch for every viewer; fewer pictures do not.
    parameters.degradationPreference = 'maintain-resolution';
    await sender.setParameters(parameters).catch(() => undefined);
  }

  #refused(error: unknown): void {
    if (error instanceof OfferRefused && PASSING.has(error.status)) {
      this.#lost(error.message);
      return;
    }
    const code = error instanceof OfferRefused ? (error.code ?? `HTTP_${error.status}`) : 'UNSUPPORTED';
    this.#drop();
    this.#tell({ kind: 'failed', code, detail: error instanceof Error ? error.message : String(error) });
  }

  #lost(reason: string): void {
    this.#drop();
    this.#tell({ kind: 'reconnecting', reason });
    this.#retry = setTimeout(() => void this.#open({ kind: 'reconnecting', reason }), this.#backOff.next());
  }

  #tell(state: PublisherState): void {
    if (state.kind === this.#state.kind && state.kind !== 'failed') return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
