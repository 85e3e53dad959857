import { createHash } from 'node:crypto';
import type { RelayIndexEntry } from '@onair/contracts/relay';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockLedger } from './block-ledger.ts';

const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

interface Source {
  readonly entry: RelayIndexEntry;
  readonly bytes: Uint8Array;
}

/** A stream of blocks, every fifth of which a decoder can start at, with gaps in the numbers. */
function stream(count: number, from = 10): Source[] {
  return Array.from({ length: count }, (_, i) => {
    const sequence = from + i * 2 + (i % 3 === 0 ? 1 : 0);
    const bytes = new TextEncoder().encode(`block ${sequence}`);
    return { bytes, entry: { sequence, independent: i % 5 === 0, hash: hash(bytes) } };
  });
}

const numbers = (messages: readonly Uint8Array[]): number[] =>
  messages.map((bytes) => Number(new TextDecoder().decode(bytes).split(' ')[1]));

describe('the ledger', () => {
  it('gives out the stream exactly, whatever order, copies and forgeries come in', () => {
    const what = fc.record({
      at: fc.nat(39),
      kind: fc.constantFrom('peer' as const, 'server' as const, 'forged' as const, 'unknown' as const),
    });
    fc.assert(
      fc.property(
        fc.array(what, { maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 40 }),
        (offers, steps) => {
          const source = stream(40);
          const ledger = new BlockLedger(hash);
          const out: Uint8Array[] = [];
          let named = 0;
          const give = ({ at, kind }: (typeof offers)[number]): void => {
            const { entry, bytes } = source[at]!;
            if (kind === 'unknown') ledger.offer(entry.sequence + 1000, bytes, 'x');
            else if (kind === 'forged') {
              expect(ledger.offer(entry.sequence, Uint8Array.of(1, 2), 'x')).not.toBe('taken');
            } else ledger.offer(entry.sequence, bytes, kind === 'peer' ? 'a' : undefined);
            out.push(...ledger.take());
          };
          for (const [turn, step] of steps.entries()) {
            const entries = source.slice(named, named + step).map(({ entry }) => entry);
            named += entries.length;
            ledger.announce({ epoch: 1, entries }, turn);
            out.push(...ledger.take());
            const offer = offers[turn];
            if (offer !== undefined) give(offer);
          }
          for (const offer of offers.slice(steps.length)) give(offer);
          // What is missing in the end is asked of the server.
          for (const sequence of ledger.missing(1000, 0, 0, 64)) {
            const { bytes } = source.find(({ entry }) => entry.sequence === sequence)!;
            ledger.offer(sequence, bytes, undefined);
          }
          out.push(...ledger.take());
          expect(numbers(out)).toEqual(source.slice(0, named).map(({ entry }) => entry.sequence));
          expect(ledger.waiting).toBe(0);
          expect(numbers(ledger.takeVerified().map(({ bytes }) => bytes)).sort((a, b) => a - b)).toEqual(
            numbers(out),
          );
        },
      ),
    );
  });

  it('tells who sent something else before the index came, and who was right', () => {
    const [a, b] = stream(2);
    const ledger = new BlockLedger(hash);
    expect(ledger.offer(a!.entry.sequence, a!.bytes, 'good')).toBe('early');
    expect(ledger.offer(b!.entry.sequence, a!.bytes, 'bad')).toBe('early');
    const judged = ledger.announce({ epoch: 1, entries: [a!.entry, b!.entry] }, 0);
    expect([...judged.honest, ...judged.forgers]).toEqual(['good', 'bad']);
    expect(numbers(ledger.take())).toEqual([a!.entry.sequence]);
    expect(ledger.missing(100, 50, 500, 64)).toEqual([b!.entry.sequence]);
    expect(ledger.missing(200, 50, 500, 64)).toEqual([]);
    expect(ledger.missing(700, 50, 500, 64)).toEqual([b!.entry.sequence]);
  });

  it('goes on at the next block that can be decoded where one cannot be had, and never back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 8 }), (lost) => {
        const source = stream(30);
        const ledger = new BlockLedger(hash);
        ledger.announce({ epoch: 1, entries: source.map(({ entry }) => entry) }, 0);
        const out: Uint8Array[] = [];
        for (const [at, { entry, bytes }] of source.entries()) {
          if (!lost.includes(at)) ledger.offer(entry.sequence, bytes, 'a');
          out.push(...ledger.take());
        }
        for (const at of lost) ledger.gone(source[at]!.entry.sequence);
        out.push(...ledger.take());
        const got = numbers(out);
        expect(got).toEqual([...got].sort((x, y) => x - y));
        // Whoever decodes this never meets a block whose predecessor is missing.
        for (const [i, sequence] of got.entries()) {
          const at = source.findIndex(({ entry }) => entry.sequence === sequence);
          const before = source[at - 1]?.entry.sequence;
          expect(source[at]!.entry.independent || got[i - 1] === before).toBe(true);
        }
        const last = Math.max(...lost);
        const restart = source.findIndex(({ entry }, at) => at > last && entry.independent);
        if (restart >= 0)
          expect(got.slice(-(30 - restart))).toEqual(
            numbers(source.slice(restart).map(({ bytes }) => bytes)),
          );
      }),
    );
  });

  it('goes on after a reconnection, and begins anew on another log', () => {
    const source = stream(20);
    const entries = source.map(({ entry }) => entry);
    const ledger = new BlockLedger(hash);
    ledger.announce({ epoch: 1, entries: entries.slice(0, 10) }, 0);
    for (const { entry, bytes } of source.slice(0, 8)) ledger.offer(entry.sequence, bytes, 'a');
    expect(ledger.take()).toHaveLength(8);
    ledger.connected();
    ledger.announce({ epoch: 1, entries: entries.slice(8) }, 0);
    for (const { entry, bytes } of source) ledger.offer(entry.sequence, bytes, 'a');
    expect(ledger.take()).toHaveLength(12);
    ledger.connected();
    expect(ledger.announce({ epoch: 1, entries: entries.slice(0, 5) }, 0).renumbered).toBe(true);
    for (const { entry, bytes } of source) ledger.offer(entry.sequence, bytes, 'a');
    expect(ledger.take()).toHaveLength(5);
  });

  it('keeps set-ups between the blocks where the server sent them', () => {
    const [a, b] = stream(2);
    const ledger = new BlockLedger(hash);
    ledger.announce({ epoch: 1, entries: [a!.entry] }, 0);
    ledger.setUp(new TextEncoder().encode('setup 7'), 0);
    ledger.announce({ epoch: 2, entries: [b!.entry] }, 0);
    ledger.offer(b!.entry.sequence, b!.bytes, undefined);
    expect(ledger.take()).toEqual([]);
    ledger.offer(a!.entry.sequence, a!.bytes, undefined);
    expect(numbers(ledger.take())).toEqual([a!.entry.sequence, 7, b!.entry.sequence]);
  });

  it('bounds what it keeps of numbers that nobody named', () => {
    const ledger = new BlockLedger(hash);
    const kinds = Array.from({ length: 600 }, (_, n) => ledger.offer(n, new Uint8Array(100), 'a'));
    expect(kinds.filter((kind) => kind === 'early')).toHaveLength(256);
    expect(ledger.offer(9999, new Uint8Array(9 * 1024 * 1024), 'a')).toBe('refused');
  });
});
