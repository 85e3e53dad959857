import { concatBytes } from '@onair/media/bytes';
import type { Block, LogEpoch } from './format-log.ts';

/** How blocks of a log become bytes on a kind of connection. Made once per batch, whoever watches. */
export interface Envelope<C> {
  readonly name: string;
  /** What opens the transport for a viewer that starts in `epoch`; empty if nothing does. */
  opening(epoch: LogEpoch<C>): Uint8Array;
  /** What sets a decoder up for `epoch`. */
  config(epoch: LogEpoch<C>): Uint8Array;
  /** One buffer for a run of blocks. */
  batch(blocks: readonly Block<C>[]): Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Blocks as they are, one after the other; `opening` in front, if the format has a file header. */
export function plainEnvelope(
  name: string,
  opening?: (epoch: LogEpoch<Uint8Array>) => Uint8Array,
): Envelope<Uint8Array> {
  return {
    name,
    opening: opening ?? (() => NOTHING),
    config: (epoch) => epoch.config,
    batch: (blocks) =>
      blocks.length === 1 ? blocks[0]!.bytes : concatBytes(blocks.map((block) => block.bytes)),
  };
}
