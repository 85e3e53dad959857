import type { LedgerBlock } from './block-ledger.ts';

/** Bounds of what a peer keeps for those below it. */
const MAX_BYTES = 12 * 1024 * 1024;
const MAX_BLOCKS = 2048;

/** The newest blocks that a peer found to be right, in the order in which it got them. Readers hold positions. */
export class HeldBlocks {
  #blocks: LedgerBlock[] = [];
  #first = 0;
  #bytes = 0;

  /** Position of the oldest block held. */
  get start(): number {
    return this.#first;
  }

  /** Position that the next block gets. */
  get end(): number {
    return this.#first + this.#blocks.length;
  }

  /** The block at a position, or undefined if it is gone or not there yet. */
  at(position: number): LedgerBlock | undefined {
    return this.#blocks[position - this.#first];
  }

  add(block: LedgerBlock): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    let gone = 0;
    while (this.#bytes > MAX_BYTES || this.#blocks.length - gone > MAX_BLOCKS) {
      this.#bytes -= this.#blocks[gone++]!.bytes.length;
    }
    if (gone === 0) return;
    this.#blocks = this.#blocks.slice(gone);
    this.#first += gone;
  }

  /** Where one begins who has everything up to `after`; at the newest independent block if it has nothing. */
  startFor(after: number): number {
    for (let position = this.end - 1; position >= this.#first; position--) {
      const block = this.at(position)!;
      if (after < 0 ? block.independent : block.sequence <= after) return after < 0 ? position : position + 1;
    }
    return this.#first;
  }

  clear(): void {
    this.#first = this.end;
    this.#blocks = [];
    this.#bytes = 0;
  }
}
