import { Unwrapper } from '../time/index.ts';
import type { RtpPacket } from './packet.ts';

/** How a {@link ReceiveQueue} waits. */
export interface ReceiveQueueOptions {
  /** How long a missing packet is waited for, in milliseconds. */
  readonly waitMs: number;
  /** Most packets that are held back. */
  readonly maxPackets: number;
}

/** Enough for two retransmissions at a round trip of 70 ms. */
export const DEFAULT_RECEIVE_QUEUE: ReceiveQueueOptions = { waitMs: 200, maxPackets: 1024 };

/** A packet in its place; `lossBefore` if packets in front of it are given up. */
export interface OrderedPacket {
  readonly packet: RtpPacket;
  readonly lossBefore: boolean;
}

/** A jump of so many packets is another run of numbers, not loss. RFC 3550 A.1 (MAX_DROPOUT). */
const MAX_JUMP = 3000;
/** A missing packet is asked for so many times, with so much time between, in milliseconds. */
const MAX_ASKED = 4;
const ASK_EVERY_MS = 40;

/** Puts the packets of one source in order, leaves repeats out and tells which ones are missing. */
export class ReceiveQueue {
  readonly #options: ReceiveQueueOptions;
  readonly #held = new Map<number, { readonly packet: RtpPacket; readonly at: number }>();
  readonly #missing = new Map<number, { asked: number; nextAt: number }>();
  #unwrap = new Unwrapper(16);
  #next: number | undefined;
  #highest = 0;
  #lost = false;

  constructor(options: ReceiveQueueOptions = DEFAULT_RECEIVE_QUEUE) {
    this.#options = options;
  }

  /** Packets held back at present. */
  get size(): number {
    return this.#held.size;
  }

  /** True if a number is missing and still waited for. @param sequence 16 bits. */
  misses(sequence: number): boolean {
    for (const missing of this.#missing.keys()) if ((missing & 0xffff) === sequence) return true;
    return false;
  }

  /** Takes a packet; returns those that are in order now. @param now monotonic milliseconds. */
  push(packet: RtpPacket, now: number): OrderedPacket[] {
    let sequence = this.#unwrap.next(packet.sequence);
    const next = this.#next;
    if (next !== undefined && Math.abs(sequence - next) > MAX_JUMP) {
      const rest = this.#release(true);
      this.#held.clear();
      this.#missing.clear();
      this.#unwrap = new Unwrapper(16);
      sequence = this.#unwrap.next(packet.sequence);
      this.#next = sequence + 1;
      this.#highest = sequence;
      return [...rest, { packet, lossBefore: true }];
    }
    this.#next ??= sequence;
    if (sequence < this.#next || this.#held.has(sequence)) return [];
    this.#missing.delete(sequence);
    for (let gap = Math.max(this.#highest + 1, this.#next); gap < sequence && next !== undefined; gap++) {
      this.#missing.set(gap, { asked: 0, nextAt: now });
    }
    this.#highest = Math.max(this.#highest, sequence);
    this.#held.set(sequence, { packet, at: now });
    const ready = this.#release(false);
    return this.#held.size > this.#options.maxPackets ? [...ready, ...this.#skip()] : ready;
  }

  /** Gives up what was waited for too long; returns what is in order then. @param now monotonic milliseconds. */
  poll(now: number): OrderedPacket[] {
    const ready: OrderedPacket[] = [];
    for (;;) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const { at } of this.#held.values()) if (at < oldest) oldest = at;
      if (now - oldest < this.#options.waitMs || this.#held.size === 0) return ready;
      ready.push(...this.#skip());
    }
  }

  /** Sequence numbers (16 bits) to ask for now, rising. @param now monotonic milliseconds. */
  nacks(now: number): number[] {
    const ask: number[] = [];
    for (const [sequence, state] of this.#missing) {
      if (state.nextAt > now || state.asked >= MAX_ASKED || ask.length >= 256) continue;
      state.asked++;
      state.nextAt = now + ASK_EVERY_MS;
      ask.push(sequence & 0xffff);
    }
    return ask;
  }

  #skip(): OrderedPacket[] {
    let first = Number.POSITIVE_INFINITY;
    for (const sequence of this.#held.keys()) if (sequence < first) first = sequence;
    for (const sequence of this.#missing.keys()) if (sequence < first) this.#missing.delete(sequence);
    this.#next = first;
    this.#lost = true;
    return this.#release(false);
  }

  #release(all: boolean): OrderedPacket[] {
    const ready: OrderedPacket[] = [];
    const order = all ? [...this.#held.keys()].sort((a, b) => a - b) : undefined;
    for (;;) {
      const sequence = order === undefined ? this.#next! : order.shift();
      const held = sequence === undefined ? undefined : this.#held.get(sequence);
      if (held === undefined) return ready;
      if (sequence !== this.#next) this.#lost = true;
      this.#held.delete(sequence!);
      this.#next = sequence! + 1;
      ready.push({ packet: held.packet, lossBefore: this.#lost });
      this.#lost = false;
    }
  }
}
