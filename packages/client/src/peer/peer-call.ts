import type { PeerBody } from '@onair/contracts/peers';
import { PeerLink } from '../room/peer-link.ts';
import { Listeners } from './listeners.ts';

/** How a call is: `broken` comes back by itself or ends. */
export type PeerCallState = 'ringing' | 'connected' | 'broken' | 'ended';

/** What happens to a call, and what its listeners are given. */
export type PeerCallEvents = {
  /** The other one's picture and sound, once they flow. */
  readonly stream: readonly [stream: MediaStream];
  readonly state: readonly [state: PeerCallState];
  /** It is over: `bye`, `absent` (nobody has the id), `lost`, `refused` (the browser could not) or `closed` by this side. */
  readonly end: readonly [reason: string];
};

/** What a call is made with. */
export interface PeerCallSetting {
  readonly id: string;
  /** The other peer. */
  readonly remote: string;
  readonly connection: RTCPeerConnection;
  send(body: PeerBody): void;
  ended(): void;
}

/** A connection that is interrupted for so long is made anew, and for so long it is tried, ms. */
const PATIENCE_MS = 2_000;
const RESTART_EVERY_MS = 4_000;
const GIVE_UP_MS = 30_000;

/** A call between two peers, from either side. */
export class PeerCall {
  readonly #setting: PeerCallSetting;
  readonly #link: PeerLink;
  readonly #listeners = new Listeners<PeerCallEvents>();
  #caller = false;
  #offer: string | undefined;
  #state: PeerCallState = 'ringing';
  #stream: MediaStream | undefined;
  #told = false;
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it broke, ms; 0 if it is whole. */
  #brokenAt = 0;

  constructor(setting: PeerCallSetting) {
    this.#setting = setting;
    const { connection, id } = setting;
    this.#link = new PeerLink(connection, {
      candidate: ({ candidate, sdpMid, sdpMLineIndex }) =>
        setting.send({ type: 'candidate', call: id, candidate, sdpMid, sdpMLineIndex }),
      state: (state) => this.#changed(state),
    });
    connection.addEventListener('track', ({ streams }) => {
      this.#stream ??= streams[0];
      if (this.#state === 'connected') this.#tellStream();
    });
  }

  /** Id of the call. */
  get id(): string {
    return this.#setting.id;
  }

  /** Id of the other peer. */
  get remote(): string {
    return this.#setting.remote;
  }

  get state(): PeerCallState {
    return this.#state;
  }

  /** The other one's picture and sound, once there are any. */
  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** The browser's connection, for statistics. */
  get connection(): RTCPeerConnection {
    return this.#setting.connection;
  }

  /** Listens. Returns what ends that. */
  on<N extends keyof PeerCallEvents>(name: N, listener: (...what: PeerCallEvents[N]) => void): () => void {
    return this.#listeners.add(name, listener);
  }

  /** Takes a call that came in; without a stream nothing is sent. The tracks stay the caller's of this method. */
  answer(stream?: MediaStream): void {
    const offer = this.#offer;
    this.#offer = undefined;
    if (offer !== undefined) this.#do(() => this.#answer(offer, stream));
  }

  /** Sends other tracks in place of those that are sent, e.g. of another camera. */
  async replace(stream: MediaStream): Promise<void> {
    for (const { sender, receiver } of this.connection.getTransceivers()) {
      const next = stream.getTracks().find(({ kind }) => kind === receiver.track.kind);
      await sender.replaceTrack(next ?? null);
    }
  }

  /** Ends the call. Safe to call twice. */
  close(): void {
    if (this.#state === 'ended') return;
    this.#setting.send({ type: 'bye', call: this.id });
    this.finish('closed');
  }

  /** Rings at the other side. The peer calls it once. */
  ring(stream: MediaStream | undefined): void {
    this.#caller = true;
    const { connection } = this;
    for (const kind of ['audio', 'video'] as const) {
      const track = stream?.getTracks().find((one) => one.kind === kind);
      const direction = track === undefined ? 'recvonly' : 'sendrecv';
      connection.addTransceiver(track ?? kind, { direction, streams: stream === undefined ? [] : [stream] });
    }
    this.#do(() => this.#offerAgain());
    this.#timer = setTimeout(() => this.finish('lost'), GIVE_UP_MS);
  }

  /** The first offer of a call that comes in, for {@link PeerCall.answer}. The peer calls it once. */
  rung(offer: string): void {
    this.#offer = offer;
    this.#timer = setTimeout(() => this.finish('lost'), GIVE_UP_MS);
  }

  /** Takes what the other side says. The peer calls it. */
  hear(body: PeerBody): void {
    switch (body.type) {
      case 'offer':
        if (this.#offer === undefined) this.#do(() => this.#answer(body.sdp));
        return;
      case 'answer':
        this.#do(() => this.#link.describe({ type: 'answer', sdp: body.sdp }));
        return;
      case 'candidate':
        void this.#link.candidate(body);
        return;
      case 'bye':
        this.finish('bye');
        return;
      case 'hello':
    }
  }

  /** Nobody has the other peer's id at the moment. The peer calls it. */
  absent(): void {
    if (this.#state === 'ringing') this.finish('absent');
  }

  /** Ends this side without a word to the other. Safe to call twice. */
  finish(reason: string): void {
    if (this.#state === 'ended') return;
    clearTimeout(this.#timer);
    this.#link.close();
    this.#setting.ended();
    this.#become('ended');
    this.#listeners.tell('end', reason);
  }

  async #offerAgain(): Promise<void> {
    const { connection } = this;
    await connection.setLocalDescription();
    const sdp = connection.localDescription?.sdp;
    if (sdp !== undefined) this.#setting.send({ type: 'offer', call: this.id, sdp });
  }

  async #answer(offer: string, stream?: MediaStream): Promise<void> {
    const { connection } = this;
    await this.#link.describe({ type: 'offer', sdp: offer });
    for (const transceiver of stream === undefined ? [] : connection.getTransceivers()) {
      const track = stream!.getTracks().find(({ kind }) => kind === transceiver.receiver.track.kind);
      if (track === undefined) continue;
      await transceiver.sender.replaceTrack(track);
      transceiver.sender.setStreams(stream!);
      transceiver.direction = 'sendrecv';
    }
    await connection.setLocalDescription();
    const sdp = connection.localDescription?.sdp;
    if (sdp !== undefined) this.#setting.send({ type: 'answer', call: this.id, sdp });
  }

  #changed(state: RTCPeerConnectionState): void {
    if (this.#state === 'ended') return;
    if (state === 'connected') {
      clearTimeout(this.#timer);
      this.#brokenAt = 0;
      this.#become('connected');
      this.#tellStream();
    } else if (state === 'disconnected' || state === 'failed') {
      if (this.#brokenAt !== 0) return;
      this.#brokenAt = Date.now();
      this.#become('broken');
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#mend(), state === 'failed' ? 0 : PATIENCE_MS);
    }
  }

  /** Looks for another way to the other side: the one who called asks for it. */
  #mend(): void {
    if (Date.now() - this.#brokenAt > GIVE_UP_MS) {
      this.finish('lost');
      return;
    }
    this.#timer = setTimeout(() => this.#mend(), RESTART_EVERY_MS);
    if (!this.#caller) return;
    this.connection.restartIce();
    this.#do(() => this.#offerAgain());
  }

  #tellStream(): void {
    if (this.#told || this.#stream === undefined) return;
    this.#told = true;
    this.#listeners.tell('stream', this.#stream);
  }

  #become(state: PeerCallState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listeners.tell('state', state);
  }

  /** One step after the other. */
  #do(step: () => Promise<void>): void {
    this.#work = this.#work
      .then(async () => {
        if (this.#state !== 'ended') await step();
      })
      .catch(() => {
        this.#setting.send({ type: 'bye', call: this.id });
        this.finish('refused');
      });
  }
}
