import { createHash } from 'node:crypto';
import { encodeRelayIndex, RELAY_MAX_ENTRIES, type RelayIndexEntry } from '@onair/contracts/relay';
import { concatBytes } from '@onair/media/bytes';
import type { Block, Envelope } from '../../hub/index.ts';
import type { CmafConfig } from '../../packager/cmaf/index.ts';
import { framed } from '../websocket/frame.ts';
import { frameHeaderLength } from '../websocket/index.ts';
import { batchMessages, configMessages } from '../ws-fmp4/index.ts';

const NOTHING = new Uint8Array(0);

/**
 * What every peer of a tree gets from the server: set-ups, events, and in place of the chunks an index with their
 * hashes, by which a peer knows what it must get from its parent.
 */
export const RELAY_INDEX: Envelope<CmafConfig> = {
  name: 'relay-index',
  opening: () => NOTHING,
  config: configMessages,
  batch: indexMessages,
};

/** The chunks alone, for peers that the server feeds. */
export const RELAY_FEED: Envelope<CmafConfig> = {
  name: 'relay-feed',
  opening: () => NOTHING,
  config: () => NOTHING,
  batch: (blocks) => batchMessages(blocks.filter(({ kind }) => kind === 'media')),
};

function indexMessages(blocks: readonly Block<CmafConfig>[]): Uint8Array {
  const out: Uint8Array[] = [];
  let entries: RelayIndexEntry[] = [];
  let epoch = 0;
  const flush = (): void => {
    if (entries.length > 0) out.push(framed(encodeRelayIndex({ epoch, entries })));
    entries = [];
  };
  for (const block of blocks) {
    const first = entries[0]?.sequence ?? block.seq;
    const fits = entries.length < RELAY_MAX_ENTRIES && block.seq - first <= 0xffff;
    if (block.kind !== 'media' || block.epoch.number !== epoch || !fits) flush();
    if (block.kind === 'config') out.push(configMessages(block.epoch));
    else if (block.kind === 'notice') out.push(batchMessages([block]));
    else {
      epoch = block.epoch.number;
      entries.push({ sequence: block.seq, independent: block.independent, hash: hashOf(block) });
    }
  }
  flush();
  return concatBytes(out);
}

const hashes = new WeakMap<Block<CmafConfig>, Uint8Array>();

/** SHA-256 of the block's message without the frame around it; made once per block. */
function hashOf(block: Block<CmafConfig>): Uint8Array {
  const known = hashes.get(block);
  if (known !== undefined) return known;
  const message = batchMessages([block]);
  // The shortest frame header whose length fits is the one that was written.
  const head = [2, 4, 10].find((bytes) => frameHeaderLength(message.length - bytes) === bytes)!;
  const hash = createHash('sha256').update(message.subarray(head)).digest();
  hashes.set(block, hash);
  return hash;
}
