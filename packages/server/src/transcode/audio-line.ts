import type { PcmDecoder } from './decoders.ts';
import type { PcmEncoder } from './encoders.ts';
import { BRIDGE_CHANNELS, BRIDGE_RATE } from './protocol.ts';

/** A hole up to so many PCM frames becomes silence; beyond it the clock is set anew. */
const MAX_SILENCE = 2 * BRIDGE_RATE;
/** Times that are off by less are the same: a packet's own jitter. In PCM frames. */
const TOLERANCE = BRIDGE_RATE / 50;

/** Packets of one codec with their times to packets of another with theirs. */
export class AudioLine {
  readonly #decoder: PcmDecoder;
  readonly #encoder: PcmEncoder;
  /** PCM that does not fill a packet yet. */
  #held = new Float32Array(0);
  /** Time of the first frame held. */
  #time: number | undefined;
  /** Times of the packets that the encoder has not given back. */
  readonly #times: number[] = [];

  constructor(decoder: PcmDecoder, encoder: PcmEncoder) {
    this.#decoder = decoder;
    this.#encoder = encoder;
  }

  /** @param time of the packet's first frame, in ticks of {@link BRIDGE_RATE}. */
  async push(time: number, packet: Uint8Array): Promise<{ time: number; data: Uint8Array }[]> {
    let pcm: Float32Array;
    try {
      pcm = this.#decoder.decode(packet);
    } catch {
      // A damaged packet is a hole that the next one's time shows.
      return [];
    }
    this.#place(time);
    this.#append(pcm);
    return this.#encodeHeld();
  }

  close(): void {
    this.#decoder.close();
    this.#encoder.close();
  }

  /** Makes what is held end where `time` begins. */
  #place(time: number): void {
    if (this.#time === undefined) {
      this.#time = time;
      return;
    }
    const off = time - (this.#time + this.#held.length / BRIDGE_CHANNELS);
    if (Math.abs(off) <= TOLERANCE) return;
    if (off > 0 && off <= MAX_SILENCE) this.#append(new Float32Array(off * BRIDGE_CHANNELS));
    else if (off > 0) this.#time += off;
    // A step back is not followed: what was encoded stays where it is.
  }

  #append(pcm: Float32Array): void {
    const held = new Float32Array(this.#held.length + pcm.length);
    held.set(this.#held);
    held.set(pcm, this.#held.length);
    this.#held = held;
  }

  async #encodeHeld(): Promise<{ time: number; data: Uint8Array }[]> {
    const made: { time: number; data: Uint8Array }[] = [];
    const { frameSize, delay } = this.#encoder;
    const size = frameSize * BRIDGE_CHANNELS;
    while (this.#held.length >= size) {
      const pcm = this.#held.slice(0, size);
      this.#held = this.#held.slice(size);
      this.#times.push(this.#time! - delay);
      this.#time! += frameSize;
      const data = await this.#encoder.encode(pcm);
      if (data !== undefined) made.push({ time: this.#times.shift()!, data });
    }
    return made;
  }
}
