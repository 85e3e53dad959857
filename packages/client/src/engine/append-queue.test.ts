import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeBuffer, fakeMedia } from '../../../../test/kit/fake-media.ts';
import { AppendQueue, type AppendQueueOwner, DEFAULT_LIMITS } from './append-queue.ts';

const MIME = 'video/mp4; codecs="avc1.64001f"';

function queue(limits = {}): {
  queue: AppendQueue;
  port: FakeBuffer;
  told: string[];
  at: { position: number };
} {
  const told: string[] = [];
  const at = { position: 0 };
  const owner: AppendQueueOwner = {
    position: () => at.position,
    done: (label) => told.push(label),
    dropped: (bytes) => told.push(`dropped ${bytes}`),
    failed: (error) => told.push(`failed ${error.message}`),
  };
  return {
    queue: new AppendQueue(MIME, owner, { ...DEFAULT_LIMITS, ...limits }),
    port: new FakeBuffer(MIME),
    told,
    at,
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

describe('append queue', () => {
  it('waits for the source buffer, then joins waiting chunks into one append after the init segment', async () => {
    const { queue: q, port } = queue();
    q.init(MIME, new Uint8Array(8));
    q.append(fakeMedia(0, 1), 0);
    q.append(fakeMedia(1, 2));
    expect(q.labels).toEqual(['init', 'append', 'append']);
    q.attach(port);
    await settle();
    expect(port.log).toEqual(['append 8', 'append 48']);
    expect(q.waitingBytes).toBe(0);
    expect([port.buffered.start(0), port.buffered.end(0)]).toEqual([0, 2]);
  });

  it('joins no more than the largest append', async () => {
    const { queue: q, port } = queue({ maxAppendBytes: 60 });
    for (let i = 0; i < 4; i++) q.append(fakeMedia(i, i + 1), i);
    q.attach(port);
    await settle();
    expect(port.log).toEqual(['append 48', 'append 48']);
  });

  it('changes the type only when it is another', async () => {
    const { queue: q, port } = queue();
    q.attach(port);
    q.init(MIME, new Uint8Array(8));
    q.init('video/mp4; codecs="hvc1"', new Uint8Array(9));
    await settle();
    expect(port.log).toEqual(['append 8', 'type video/mp4; codecs="hvc1"', 'append 9']);
  });

  it('fails where the type cannot be changed', async () => {
    const { queue: q, port, told } = queue();
    Object.defineProperty(port, 'changeType', { value: undefined });
    q.attach(port);
    q.init('video/mp4; codecs="hvc1"', new Uint8Array(9));
    expect(told).toEqual(['failed this browser cannot change the type of a buffer']);
  });

  it('evicts what was played, in steps and up to an entry point', async () => {
    const { queue: q, port, at } = queue({ backSeconds: 20 });
    q.attach(port);
    for (let i = 0; i < 60; i++) {
      at.position = i;
      q.append(fakeMedia(i, i + 1), i % 4 === 0 ? i : undefined);
      await settle();
    }
    const removals = port.log.filter((line) => line.startsWith('remove'));
    expect(removals.length).toBeGreaterThan(1);
    expect(removals.length).toBeLessThan(9);
    for (const line of removals) expect(Number(line.split('-')[1]) % 4).toBe(0);
    expect(port.buffered.start(0)).toBeGreaterThanOrEqual(59 - 20 - 5 - 4);
    expect(port.buffered.start(0)).toBeLessThanOrEqual(59 - 20);
  });

  it('makes room when the quota is reached, keeping less each time, and goes on', async () => {
    const { queue: q, port, at, told } = queue({ backSeconds: 1000 });
    port.quota = 30 * 24;
    q.attach(port);
    for (let i = 0; i < 200; i++) {
      at.position = i;
      q.append(fakeMedia(i, i + 1), i);
      await settle();
    }
    expect(told.filter((line) => /dropped|failed/.test(line))).toEqual([]);
    expect(port.buffered.end(port.buffered.length - 1)).toBe(200);
    expect(port.buffered.length).toBe(1);
  });

  it('drops what waits when no room can be made, says so, and takes media again later', async () => {
    const { queue: q, port, at, told } = queue();
    port.quota = 5 * 24;
    q.attach(port);
    for (let i = 0; i < 8; i++) q.append(fakeMedia(i, i + 1), i);
    await settle();
    expect(told.some((line) => line.startsWith('dropped'))).toBe(true);
    port.quota = 100 * 24;
    at.position = 4;
    q.append(fakeMedia(20, 21), 20);
    await settle();
    expect(port.buffered.end(port.buffered.length - 1)).toBe(21);
  });

  it('bounds what waits for a source buffer that never comes', () => {
    const { queue: q, told } = queue({ maxPendingBytes: 100 });
    q.init(MIME, new Uint8Array(8));
    for (let i = 0; i < 4; i++) q.append(fakeMedia(i, i + 1), i);
    expect(told).toEqual(['dropped 96']);
    expect(q.labels).toEqual(['init']);
    expect(q.waitingBytes).toBe(8);
  });

  it('lets go of the buffer when closed', () => {
    const { queue: q, port } = queue();
    q.attach(port);
    q.close();
    q.append(fakeMedia(0, 1), 0);
    expect(port.count).toBe(0);
    expect(port.log).toEqual([]);
  });

  it('never has two operations at work, never loses order, and stays within bounds, whatever comes', async () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        size: fc.integer({ min: 24, max: 300 }),
        entry: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('init' as const) }),
      fc.record({ kind: fc.constant('settle' as const) }),
      fc.record({ kind: fc.constant('move' as const), by: fc.integer({ min: 0, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 80 }),
        fc.integer({ min: 300, max: 4000 }),
        async (all, quota) => {
          const {
            queue: q,
            port,
            at,
            told,
          } = queue({ maxPendingBytes: 2000, maxAppendBytes: 500, backSeconds: 10 });
          port.quota = quota;
          q.attach(port);
          let time = 0;
          for (const one of all) {
            if (one.kind === 'append') {
              q.append(fakeMedia(time, time + 1, one.size), one.entry ? time : undefined);
              time++;
            } else if (one.kind === 'init') q.init(MIME, new Uint8Array(10));
            else if (one.kind === 'move') at.position = Math.min(time, at.position + one.by);
            else await settle();
            expect(q.waitingBytes).toBeLessThanOrEqual(2000 + 10 * all.length);
          }
          await settle();
          expect(told.filter((line) => line.startsWith('failed'))).toEqual([]);
          // An init segment that found no room stays for the next attempt; media does not.
          expect(q.labels.filter((label) => label !== 'init')).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
