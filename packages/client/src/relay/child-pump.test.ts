import { decodeRelayChannel, RelayBlockJoiner } from '@onair/contracts/relay';
import { describe, expect, it } from 'vitest';
import { ChildPump, HIGH_WATER } from './child-pump.ts';
import { HeldBlocks } from './held-blocks.ts';
import { UploadBudget } from './upload-budget.ts';

class Line {
  buffered = 0;
  readonly sent: number[] = [];
  alive = 0;
  readonly #joiner = new RelayBlockJoiner();

  send(message: Uint8Array): void {
    const read = decodeRelayChannel(message);
    if (read.type === 'alive') this.alive++;
    if (read.type !== 'part') return;
    this.buffered += message.length;
    const block = this.#joiner.push(read);
    if (block !== undefined) this.sent.push(block.sequence);
  }
}

function held(count: number, bytes = 1000): HeldBlocks {
  const blocks = new HeldBlocks();
  for (let n = 0; n < count; n++) {
    blocks.add({ sequence: n, independent: n % 5 === 0, bytes: new Uint8Array(bytes) });
  }
  return blocks;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('what a child gets', () => {
  it('begins behind what the child has, or at the newest block one can start at', () => {
    const blocks = held(18);
    for (const [after, first] of [
      [-1, 15],
      [9, 10],
      [17, 18],
    ] as const) {
      const line = new Line();
      const pump = new ChildPump(line, blocks, new UploadBudget(), 0);
      pump.start(after);
      pump.start(0);
      expect(pump.pump(0)).toBe(true);
      expect(line.sent).toEqual(range(first, 18));
    }
  });

  it('never fills a channel beyond its mark, and drops a child that takes nothing', () => {
    const blocks = held(500);
    const line = new Line();
    const pump = new ChildPump(line, blocks, new UploadBudget(), 0);
    pump.start(0);
    expect(pump.pump(0)).toBe(true);
    expect(line.buffered).toBeLessThan(HIGH_WATER + 2000);
    expect(line.sent.length).toBeLessThan(80);
    expect(pump.pump(2000)).toBe(true);
    expect(pump.pump(3500)).toBe(false);
    line.buffered = 0;
    expect(pump.pump(3600)).toBe(true);
  });

  it('drops a child that is behind what is held', () => {
    const blocks = held(100);
    const line = new Line();
    const pump = new ChildPump(line, blocks, new UploadBudget(), 0);
    pump.start(0);
    pump.pump(0);
    for (let n = 100; n < 2400; n++) {
      blocks.add({ sequence: n, independent: false, bytes: new Uint8Array(9000) });
    }
    expect(pump.pump(10)).toBe(false);
  });

  it('goes on when what is held counts anew', () => {
    const blocks = held(18);
    const line = new Line();
    const pump = new ChildPump(line, blocks, new UploadBudget(), 0);
    pump.start(17);
    blocks.clear();
    pump.restart(true);
    for (let n = 0; n < 3; n++) blocks.add({ sequence: n, independent: n === 0, bytes: new Uint8Array(9) });
    expect(pump.pump(1)).toBe(true);
    expect(line.sent).toEqual([0, 1, 2]);
  });

  it('says that it is there when there is nothing to send', () => {
    const line = new Line();
    const pump = new ChildPump(line, held(0), new UploadBudget(), 0);
    for (let now = 0; now <= 330; now += 11) pump.pump(now);
    expect(line.alive).toBe(10);
  });

  it('keeps to the bound of the upload', () => {
    const budget = new UploadBudget();
    budget.set(80_000);
    const blocks = held(2000);
    const line = new Line();
    const pump = new ChildPump(line, blocks, budget, 0);
    pump.start(0);
    for (let now = 0; now <= 10_000; now += 20) {
      line.buffered = 0;
      pump.pump(now);
    }
    // Two seconds' worth at once, then 10,000 bytes a second.
    expect(pump.bytes).toBeLessThanOrEqual(120_000);
    expect(pump.bytes).toBeGreaterThan(115_000);
  });
});
