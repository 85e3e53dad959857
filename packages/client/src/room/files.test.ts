import { FILE_PART_BYTES, type FileAside, type MemberId } from '@onair/contracts/rooms';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FileParts, partCount } from './file-parts.ts';
import { FileSender, type PartWay } from './file-sender.ts';
import { serverWay } from './part-ways.ts';
import { type FileView, RoomFiles } from './room-files.ts';

const bytesOf = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => i % 251);
const partsOf = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: partCount(bytes.length) }, (_, i) =>
    bytes.slice(i * FILE_PART_BYTES, (i + 1) * FILE_PART_BYTES),
  );

afterEach(() => vi.useRealTimers());

describe('a file in parts', () => {
  it('is whole after any order, with doubles, and tells what it lacks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 * FILE_PART_BYTES }),
        fc.array(fc.nat(8), { maxLength: 30 }),
        (size, order) => {
          const bytes = bytesOf(size);
          const parts = partsOf(bytes);
          const file = new FileParts(size);
          for (const index of order) {
            if (index < parts.length) file.add(index, parts[index]!);
            else expect(file.add(index, new Uint8Array(1))).toBe(false);
          }
          for (const [first, last] of file.missing()) {
            for (let i = first; i <= last; i++) expect(file.add(i, parts[i]!)).toBe(true);
          }
          expect([file.complete, file.bytes, file.missing()]).toEqual([true, size, []]);
          expect(Buffer.concat(file.take()).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes no part of a wrong length', () => {
    const file = new FileParts(FILE_PART_BYTES + 10);
    expect(file.add(0, new Uint8Array(10))).toBe(false);
    expect(file.add(1, new Uint8Array(11))).toBe(false);
    expect(file.add(1, new Uint8Array(10))).toBe(true);
    expect(file.add(1, new Uint8Array(10))).toBe(false);
  });
});

describe('a sender', () => {
  it('sends every part, then again what is missing, and tells when the way is gone', async () => {
    const sent: number[] = [];
    let broken = false;
    const told: string[] = [];
    const way: PartWay = {
      send: async (index) => {
        if (broken) throw new Error('gone');
        sent.push(index);
      },
      close: () => void told.push('closed'),
    };
    const sender = new FileSender(new Blob([bytesOf(3 * FILE_PART_BYTES)]), way, {
      sent: () => void told.push('sent'),
      progress: () => {},
      failed: () => void told.push('failed'),
    });
    await vi.waitFor(() => expect(told).toEqual(['sent']));
    sender.again([
      [1, 1],
      [2, 99],
    ]);
    await vi.waitFor(() => expect(told).toEqual(['sent', 'sent']));
    expect(sent).toEqual([0, 1, 2, 1]);
    broken = true;
    sender.again([[0, 0]]);
    await vi.waitFor(() => expect(told).toEqual(['sent', 'sent', 'closed', 'failed']));
  });

  it('keeps to what the server lets through', async () => {
    vi.useFakeTimers();
    const sent: number[] = [];
    const way = serverWay(10_000, (index) => void sent.push(index));
    const first = way.send(0, new Uint8Array(8000));
    await vi.advanceTimersByTimeAsync(999);
    expect(await Promise.race([first, 'waits'])).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    expect(await first).toBeUndefined();
    const second = way.send(1, new Uint8Array(8000));
    way.close();
    await expect(second).rejects.toThrow();
  });
});

/** Two members' files, joined so that one part in `lossy` is lost the first time. */
function pair(lossy: number) {
  const views: Record<'talk' | 'watch', readonly FileView[]> = { talk: [], watch: [] };
  const steps: string[] = [];
  const lost = new Set<number>();
  const files: Record<MemberId, RoomFiles> = {};
  for (const me of ['talk', 'watch'] as const) {
    const other = me === 'talk' ? 'watch' : 'talk';
    files[me] = new RoomFiles({
      post: (_to, step: FileAside) => {
        steps.push(step.type);
        queueMicrotask(() => files[other]!.hear(me, step));
      },
      open: (_to, { id, size }) =>
        size > 20 * FILE_PART_BYTES
          ? undefined
          : {
              send: async (index, data) => {
                if (index % lossy === 1 && !lost.has(index)) lost.add(index);
                else files[other]!.part(me, { type: 'file_part', id, index, data });
              },
              close: () => {},
            },
      changed: (next) => {
        views[me] = next;
      },
    });
  }
  return { talk: files.talk!, watch: files.watch!, views, steps };
}

describe('files of a room', () => {
  it('arrive whole although parts get lost', async () => {
    const { talk, watch, views, steps } = pair(3);
    const bytes = bytesOf(9 * FILE_PART_BYTES + 17);
    const offer = talk.offer(new File([bytes], 'x.bin'), 'file1234', 'once')!;
    watch.hear('talk', offer);
    expect(views.watch).toMatchObject([{ name: 'x.bin', state: 'offered', way: 'in' }]);
    // Not what was offered by somebody else, nor before it is accepted.
    watch.part('talk', { type: 'file_part', id: 'file1234', index: 0, data: bytes.slice(0, 1) });
    watch.accept('file1234');
    await vi.waitFor(() => expect(views.watch[0]?.state).toBe('done'), { timeout: 3000 });
    await vi.waitFor(() => expect(views.talk[0]).toMatchObject({ state: 'done', receivers: 1 }));
    expect(Buffer.from(await views.watch[0]!.content!.arrayBuffer()).equals(bytes)).toBe(true);
    expect(steps).toEqual(['file_accept', 'file_sent', 'file_missing', 'file_got']);
  });

  it('can be refused, end with their member, and are not too large', async () => {
    const { talk, watch, views } = pair(100);
    expect(talk.offer(new File([], 'empty'), 'file0000', 'ordered')).toBeUndefined();
    for (const [id, size] of [
      ['file1111', 10],
      ['file2222', 10],
      ['file3333', 30 * FILE_PART_BYTES],
    ] as const) {
      watch.hear('talk', talk.offer(new File([bytesOf(size)], '../a\u202eb'), id, 'ordered')!);
    }
    expect(views.watch[0]!.name).toBe('.._a_b');
    watch.refuse('file1111');
    await vi.waitFor(() => expect(views.talk[0]!.state).toBe('refused'));
    watch.accept('file3333');
    await vi.waitFor(() => expect(views.watch[2]!.state).toBe('failed'));
    watch.gone('talk');
    expect(views.watch[1]!.state).toBe('failed');
    talk.close();
    watch.close();
  });
});
