import {
  PLAYOUT_DELAY_BYTES,
  RTP_HEADER_BYTES,
  RTX_HEADER_BYTES,
  writePlayoutDelay,
  writeRtpHeader,
  writeRtxPayload,
} from '@onair/media/rtp';
import type { ViewerEnd, ViewerTransport } from '../../hub/index.ts';
import { MAX_PAYLOAD_BYTES, readRecords } from '../../packager/rtp/index.ts';

/** What a sender is made of. */
export interface RtpSenderOptions {
  readonly payloadType: number;
  readonly ssrc: number;
  /** Source and format of what is sent again (RFC 4588); undefined for the packet's own. */
  readonly rtx?: { readonly payloadType: number; readonly ssrc: number } | undefined;
  readonly video: boolean;
  /** How long pictures are held back at least, in milliseconds, and the id of the header extension that tells it. */
  readonly playoutDelay?: { readonly id: number; readonly minMs: number } | undefined;
  /** Sends a packet; false if it did not go out. */
  send(packet: Uint8Array): boolean;
  /** Calls back once after `ms` milliseconds; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Everything that was given has been sent. */
  drained(): void;
  /** Other codec parameters begin. */
  epoch(): void;
  ended(reason: ViewerEnd): void;
}

/** Packets that go out at once, and after how many milliseconds as many again: about 90 Mbit/s. */
const BURST = 48;
const BURST_EVERY_MS = 5;
/** Packets remembered for a viewer that asks again; a power of two. */
const REMEMBERED = 1_024;
/** How much faster than real time the pictures of the past follow each other in a viewer's clock. */
const CATCH_UP = 100;

/** Pictures are to be shown when they come; only below this bound browsers do so without a clock of their own, ms. */
const MAX_HELD_BACK_MS = 500;

interface Packet {
  readonly payload: Uint8Array;
  readonly timestamp: number;
  readonly marker: boolean;
  /** It is the first of its picture. */
  readonly first: boolean;
}

/**
 * One track of one viewer: puts the viewer's own header in front of the shared payloads. Pictures from before the
 * viewer came get times close together, so that its clock runs at the live edge from the first picture on.
 */
export class RtpSender implements ViewerTransport {
  readonly #options: RtpSenderOptions;
  readonly #scratch = Buffer.alloc(
    RTP_HEADER_BYTES + PLAYOUT_DELAY_BYTES + RTX_HEADER_BYTES + MAX_PAYLOAD_BYTES,
  );
  readonly #sent: (Packet | undefined)[] = new Array(REMEMBERED);
  #queue: Packet[] = [];
  #at = 0;
  #cancel: (() => void) | undefined;
  /** The next packet's number, not wrapped. */
  #sequence: number;
  /** The same of what is sent again. */
  #rtxSequence: number;
  /** RTP time of the newest picture when the viewer came; what is older is caught up with. */
  #live: number;
  #last: number | undefined;
  readonly #count = { packets: 0, octets: 0 };

  /** @param live RTP timestamp of the newest access unit, not wrapped. @param sequence to begin with. */
  constructor(options: RtpSenderOptions, live: number, sequence: number) {
    this.#options = options;
    this.#live = live;
    this.#sequence = sequence;
    this.#rtxSequence = sequence;
  }

  get blocked(): boolean {
    return this.#queue.length > 0;
  }

  get backlog(): number {
    return (this.#queue.length - this.#at) * MAX_PAYLOAD_BYTES;
  }

  /** Packets and bytes of payload sent so far. */
  get counters(): { readonly packets: number; readonly octets: number } {
    return this.#count;
  }

  write(bytes: Uint8Array): void {
    readRecords(bytes, {
      epoch: () => this.#options.epoch(),
      frame: (video, _key, timestamp, payloads) => {
        if (video === this.#options.video) this.#frame(timestamp, payloads);
      },
    });
    if (this.#cancel === undefined) this.#flush();
  }

  end(reason: ViewerEnd): void {
    this.close();
    this.#options.ended(reason);
  }

  /** Pictures up to `live` (not wrapped) will be given again: they follow what was sent. */
  restart(live: number): void {
    this.#live = live;
  }

  /** Sends a packet again, if it is remembered. @param sequence 16 bits. */
  resend(sequence: number): void {
    const back = (this.#sequence - 1 - sequence) & 0xffff;
    const packet = back < REMEMBERED ? this.#sent[sequence & (REMEMBERED - 1)] : undefined;
    if (packet === undefined) return;
    const { rtx } = this.#options;
    if (rtx === undefined) {
      this.#send(packet, sequence);
      return;
    }
    const again = { ...packet, payload: writeRtxPayload(sequence, packet.payload) };
    this.#send(again, this.#rtxSequence++ & 0xffff, rtx);
  }

  /** Drops what has not been sent. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#queue = [];
    this.#at = 0;
  }

  #frame(wrapped: number, payloads: readonly Uint8Array[]): void {
    const timestamp = this.#timeOf(wrapped);
    if (timestamp === undefined) return;
    payloads.forEach((payload, i) => {
      const marker = this.#options.video && i === payloads.length - 1;
      this.#queue.push({ payload, timestamp, marker, first: i === 0 });
    });
  }

  /** Undefined for sound of the past, which nobody wants to hear. */
  #timeOf(wrapped: number): number | undefined {
    const ahead = (wrapped - this.#live) | 0;
    const past = ahead < 0;
    if (past && !this.#options.video) return undefined;
    const last = this.#last;
    let timestamp = this.#live + (past ? Math.round(ahead / CATCH_UP) : ahead);
    // After a new start among the pictures of the past they come behind what was sent.
    if (ahead <= 0 && last !== undefined && timestamp <= last) timestamp = last + 1;
    if (!past) this.#live += ahead;
    this.#last = timestamp;
    return timestamp;
  }

  #flush(): void {
    this.#cancel = undefined;
    for (let sent = 0; sent < BURST && this.#at < this.#queue.length; sent++) {
      const packet = this.#queue[this.#at++]!;
      const sequence = this.#sequence++ & 0xffff;
      this.#sent[sequence & (REMEMBERED - 1)] = packet;
      this.#send(packet, sequence);
      this.#count.packets++;
      this.#count.octets += packet.payload.length;
    }
    if (this.#at < this.#queue.length) {
      this.#cancel = this.#options.after(BURST_EVERY_MS, () => this.#flush());
      return;
    }
    if (this.#queue.length === 0) return;
    this.#queue = [];
    this.#at = 0;
    this.#options.drained();
  }

  #send(
    { payload, timestamp, marker, first }: Packet,
    sequence: number,
    { payloadType, ssrc }: { readonly payloadType: number; readonly ssrc: number } = this.#options,
  ): void {
    const { playoutDelay } = this.#options;
    writeRtpHeader(this.#scratch, 0, { marker, payloadType, sequence, timestamp, ssrc });
    let at = RTP_HEADER_BYTES;
    if (first && playoutDelay !== undefined) {
      writePlayoutDelay(this.#scratch, 0, playoutDelay.id, playoutDelay.minMs, MAX_HELD_BACK_MS);
      at += PLAYOUT_DELAY_BYTES;
    }
    this.#scratch.set(payload, at);
    this.#options.send(this.#scratch.subarray(0, at + payload.length));
  }
}
