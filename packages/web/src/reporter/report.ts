import { Peer, type PeerCall } from '@onair/client/peer';
import { signal } from '@preact/signals';
import { keepAwake } from '../studio/wake-lock.ts';

/** How a report is. */
export type ReportState = 'connecting' | 'waiting' | 'shown' | 'broken';

/** How often a reporter that is not called says that it is there, ms. */
const HELLO_EVERY_MS = 2_000;

/** A picture that is shown to one recorder: it is told that there is one, and its calls are answered by themselves. */
export class Report {
  readonly state = signal<ReportState>('connecting');
  readonly #recorder: string;
  readonly #peer = new Peer();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #sleep = keepAwake();
  #media: MediaStream;
  #call: PeerCall | undefined;

  /** @param recorder id of the one that may have the picture. */
  constructor(recorder: string, media: MediaStream) {
    this.#recorder = recorder;
    this.#media = media;
    this.#peer.on('open', () => {
      if (this.#call === undefined) this.state.value = 'waiting';
      this.#hello();
    });
    this.#peer.on('lost', () => {
      if (this.#call === undefined) this.state.value = 'connecting';
    });
    this.#peer.on('call', (call) => this.#answer(call));
    this.#timer = setInterval(() => this.#hello(), HELLO_EVERY_MS);
  }

  /** Shows another picture in place of the present one. */
  async show(media: MediaStream): Promise<void> {
    this.#media = media;
    await this.#call?.replace(media);
  }

  /** Ends it. The tracks stay the caller's. */
  close(): void {
    clearInterval(this.#timer);
    this.#sleep();
    this.#peer.close();
  }

  #hello(): void {
    if (this.#call === undefined) this.#peer.hello(this.#recorder);
  }

  #answer(call: PeerCall): void {
    if (call.remote !== this.#recorder) {
      call.close();
      return;
    }
    // A recorder that calls again has begun anew.
    this.#call?.close();
    this.#call = call;
    call.on('state', (state) => {
      if (this.#call !== call) return;
      if (state === 'connected') {
        this.state.value = 'shown';
        void keepSize(call.connection);
      } else if (state === 'broken') this.state.value = 'broken';
    });
    call.on('end', () => {
      if (this.#call !== call) return;
      this.#call = undefined;
      this.state.value = 'waiting';
    });
    call.answer(this.#media);
  }
}

/** A recording begins anew with each other size: where the line is thin, fewer pictures are better than smaller ones. */
async function keepSize(connection: RTCPeerConnection): Promise<void> {
  for (const sender of connection.getSenders()) {
    if (sender.track?.kind !== 'video') continue;
    const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
    parameters.degradationPreference = 'maintain-resolution';
    await sender.setParameters(parameters).catch(() => undefined); // not every browser can
  }
}
