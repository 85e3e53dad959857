/** A codec of sound that is turned into the other one. */
export type BridgedCodec = 'aac' | 'opus';

/** PCM in between, and both outputs, have this rate in hertz … */
export const BRIDGE_RATE = 48_000;
/** … and so many channels. */
export const BRIDGE_CHANNELS = 2;

/** What the worker is told. */
export type ToWorker =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly to: BridgedCodec;
      /** AudioSpecificConfig where the source is AAC. */
      readonly description: Uint8Array;
      readonly sampleRate: number;
      readonly channels: number;
    }
  /** @property time presentation time in ticks of {@link BRIDGE_RATE}. */
  | { readonly kind: 'packet'; readonly id: number; readonly time: number; readonly data: Uint8Array }
  | { readonly kind: 'close'; readonly id: number };

/** What the worker tells. */
export type FromWorker =
  | { readonly kind: 'packet'; readonly id: number; readonly time: number; readonly data: Uint8Array }
  /** A packet was worked on, whatever came out of it. */
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };
