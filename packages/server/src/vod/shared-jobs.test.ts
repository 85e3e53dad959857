import { expect, it } from 'vitest';
import { SharedJobs } from './shared-jobs.ts';

const LIMITS = { running: 1, waiting: 1, workMs: 60_000, keptBytes: 10 };
const never = new Promise<void>(() => {});

interface Made {
  readonly bytes: Uint8Array;
}

/** Work that is done when the test says so, and lets go when it is told to. */
class Work {
  begun = 0;
  done: (bytes: number) => void = () => {};
  failed: (why: Error) => void = () => {};
  readonly run = (signal: AbortSignal): Promise<Made> => {
    this.begun++;
    return new Promise((resolve, reject) => {
      this.done = (bytes) => resolve({ bytes: new Uint8Array(bytes) });
      this.failed = reject;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
}

/** An asker that can go. */
function asker(): { readonly gone: Promise<void>; go(): void } {
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  return { gone, go };
}

it('works once for all who ask for the same at one time, and keeps what was asked for last', async () => {
  const jobs = new SharedJobs<Made>(LIMITS);
  const work = new Work();
  const asked = [1, 2, 3].map(() => jobs.get('a', work.run, never));
  work.done(6);
  const [first, ...others] = await Promise.all(asked);
  for (const other of others) expect(other).toBe(first);
  expect(await jobs.get('a', work.run, never)).toBe(first);
  expect(work.begun).toBe(1);
  const second = jobs.get('b', work.run, never);
  work.done(6);
  await second;
  expect(jobs.state).toEqual({ running: 0, waiting: 0, keptBytes: 6 });
  await jobs.get('b', work.run, never);
  const again = jobs.get('a', work.run, never);
  work.done(11);
  // Too large to be kept: what is there stays.
  expect((await again).bytes.length).toBe(11);
  expect([work.begun, jobs.state.keptBytes]).toEqual([3, 6]);
});

it('lets so many wait, in order, and refuses more with a time to come back', async () => {
  const jobs = new SharedJobs<Made>(LIMITS);
  const [one, two] = [new Work(), new Work()];
  const first = jobs.get('a', one.run, never);
  const second = jobs.get('b', two.run, never);
  const shared = jobs.get('b', two.run, never);
  await expect(jobs.get('c', one.run, never)).rejects.toMatchObject({
    status: 503,
    code: 'OVERLOADED',
    details: { headers: { 'retry-after': '2' } },
  });
  expect([two.begun, jobs.state]).toEqual([0, { running: 1, waiting: 1, keptBytes: 0 }]);
  one.done(1);
  await first;
  await expect.poll(() => two.begun).toBe(1);
  two.done(1);
  expect(await second).toBe(await shared);
});

it('ends with the last who waits, whether it works or waits, and is begun again for others', async () => {
  const jobs = new SharedJobs<Made>(LIMITS);
  const [one, two] = [new Work(), new Work()];
  const [x, y, z] = [asker(), asker(), asker()];
  const working = [jobs.get('a', one.run, x.gone), jobs.get('a', one.run, y.gone)];
  const waiting = jobs.get('b', two.run, z.gone);
  const settled = Promise.allSettled([...working, waiting]);
  z.go();
  await expect.poll(() => jobs.state.waiting).toBe(0);
  x.go();
  await Promise.resolve();
  expect(jobs.state.running).toBe(1);
  y.go();
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await expect.poll(() => jobs.state.running).toBe(0);
  expect(two.begun).toBe(0);
  const again = jobs.get('a', one.run, never);
  one.done(3);
  expect((await again).bytes.length).toBe(3);
});

it('tells all who wait why it failed, keeps nothing of it, and goes on', async () => {
  const jobs = new SharedJobs<Made>(LIMITS);
  const work = new Work();
  const asked = Promise.allSettled([jobs.get('a', work.run, never), jobs.get('a', work.run, never)]);
  work.failed(new Error('no picture'));
  for (const one of await asked) expect(one).toMatchObject({ reason: { message: 'no picture' } });
  expect(jobs.state).toEqual({ running: 0, waiting: 0, keptBytes: 0 });
  const again = jobs.get('a', work.run, never);
  work.done(1);
  await again;
});

it('ends what takes too long, and everything when it is closed', async () => {
  const hasty = new SharedJobs<Made>({ ...LIMITS, workMs: 1 });
  const work = new Work();
  await expect(hasty.get('a', work.run, never)).rejects.toMatchObject({ status: 503 });
  await expect.poll(() => hasty.state.running).toBe(0);
  const jobs = new SharedJobs<Made>(LIMITS);
  const asked = Promise.allSettled([jobs.get('a', work.run, never), jobs.get('b', work.run, never)]);
  jobs.close();
  for (const one of await asked) expect(one).toMatchObject({ reason: { code: 'OVERLOADED' } });
  await expect.poll(() => jobs.state.running).toBe(0);
  await expect(jobs.get('a', work.run, never)).rejects.toMatchObject({ code: 'OVERLOADED' });
  jobs.close();
});
