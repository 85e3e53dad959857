import { connect, type Socket } from 'node:net';
import { configTag, sampleTag } from '../../packages/media/src/flv/index.ts';
import type { Sample, Track } from '../../packages/media/src/index.ts';
import {
  type RtmpClientEvent,
  type RtmpClientOptions,
  RtmpClientSession,
} from '../../packages/media/src/rtmp/index.ts';
import { handshakeCrypto } from '../../packages/server/src/net/handshake-crypto.ts';

/** An RTMP client over TCP for tests: publishes or plays, and keeps what it heard. */
export class RtmpTestClient {
  readonly session: RtmpClientSession;
  readonly socket: Socket;
  readonly events: RtmpClientEvent[] = [];
  /** Error of the session, if it met one. */
  fault: unknown;
  closed = false;

  constructor(port: number, options: Partial<RtmpClientOptions> & Pick<RtmpClientOptions, 'intent'>) {
    this.session = new RtmpClientSession({
      nowMs: () => performance.now(),
      crypto: handshakeCrypto,
      app: 'live',
      tcUrl: `rtmp://127.0.0.1:${port}/live`,
      name: 'test',
      ...options,
    });
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      this.session.start();
      this.flush();
    });
    this.socket.on('data', (bytes) => this.#receive(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Sends what the session has to say. */
  flush(): void {
    const bytes = this.session.takeOutput();
    if (bytes !== undefined) this.socket.write(bytes);
  }

  /** Publishes set-up and samples. */
  publish(tracks: readonly Track[], samples: readonly Sample[]): void {
    for (const track of tracks) {
      const tag = configTag(track);
      if (tag !== undefined && tag.type !== 'script') this.session.sendMedia(tag.type, 0, tag.body);
    }
    for (const sample of samples) {
      const { type, timestampMs, body } = sampleTag(sample);
      if (type !== 'script') this.session.sendMedia(type, timestampMs, body);
    }
    this.flush();
  }

  /** Codes of the statuses heard, refusals included. */
  get codes(): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'status' || event.kind === 'refused' ? [event.code] : [],
    );
  }

  /** True once publishing or playing may begin. */
  get ready(): boolean {
    return this.events.some((event) => event.kind === 'ready');
  }

  /** Media messages heard. */
  get media(): Extract<RtmpClientEvent, { readonly kind: 'media' }>[] {
    return this.events.filter((event) => event.kind === 'media');
  }

  stop(): void {
    this.session.close();
    this.flush();
    this.socket.destroySoon();
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.session.push(bytes);
      for (let event = this.session.next(); event !== undefined; event = this.session.next()) {
        this.events.push(event);
      }
      this.flush();
    } catch (error) {
      this.fault = error;
      this.socket.destroy();
    }
  }
}
