import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { streamName } from '@onair/media';
import { afterAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { Scope } from '../../../../../test/kit/scope.ts';
import { recording } from '../../../../../test/kit/webm-files.ts';
import { DiskSync } from '../../disk/index.ts';
import { DEFAULT_POLICY, SessionTable, StreamRegistry } from '../../hub/index.ts';
import { cmafPackagerKind } from '../../packager/cmaf/index.ts';
import { UploadIntake } from './upload-intake.ts';
import { Uploads } from './uploads.ts';

/** Besides all offsets at once some alone; `ONAIR_LONG=1` takes each, and 1,000 random ones. */
const LONG = process.env.ONAIR_LONG === '1';
const STEP = LONG ? 1 : 2_503;
const HEAD = 20_000;
const NAME = streamName('live', 'test');
const scope = new Scope();
afterAll(() => scope.close());

/** Digest of every chunk of fMP4, which is what segments are made of, in order. */
function segmentsOf(pieces: readonly Uint8Array[]): string {
  const kind = cmafPackagerKind();
  const registry = new StreamRegistry({ clock: new FakeClock(), eager: [kind] });
  const publication = registry.publish(NAME, { protocol: 'upload', revoked: () => {} });
  const hash = createHash('sha256');
  const { log } = registry.find(NAME)!.packager(kind);
  log.follow({
    appended: ({ kind: what, time, bytes }) => void hash.update(`${what} ${time}`).update(bytes),
    ended: () => undefined,
  });
  const intake = new UploadIntake({
    onKinds: () => undefined,
    onTrack: (track) => publication.setTrack(track),
    onSample: (sample) => publication.push(sample),
    onFault: (error) => {
      throw error;
    },
  });
  for (const piece of pieces) intake.push(piece);
  intake.end();
  publication.close('done');
  return hash.digest('hex');
}

/** Numbers from 0 to below `limit`, the same each time: mulberry32. */
function* seeded(seed: number, limit: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

describe('segments of an upload', () => {
  // Complete recordings one behind the other, as a page sends them that changes its camera: each kind of element at
  // some cut, and few enough frames to take thousands of cuts.
  const whole = (parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
  const small = recording({ clusters: 3 });
  const file = whole([small, recording({ more: 120 }), small, recording({ more: 100 })]);
  const expected = segmentsOf([file]);

  /** Cuts the file once at each offset. */
  async function cutAt(offsets: Iterable<number>): Promise<void> {
    let count = 0;
    for (const cut of offsets) {
      if (++count % 100 === 0) await turn();
      const found = segmentsOf([file.subarray(0, cut), file.subarray(cut)]);
      if (found !== expected) expect.fail(`cut at ${cut}`);
    }
    if (LONG) console.log(`${count} cuts of ${file.length} bytes: the same segments`);
  }

  it('are the same bytes when it is cut at every offset of its first 20 kB', {
    timeout: 900_000,
  }, async () => {
    expect(file.length).toBeGreaterThan(HEAD);
    const bytes = Array.from(file.subarray(0, HEAD), (byte) => Uint8Array.of(byte));
    expect(segmentsOf([...bytes, file.subarray(HEAD)])).toBe(expected);
    await cutAt(Array.from({ length: Math.ceil(HEAD / STEP) }, (_, i) => 1 + i * STEP));
  });

  it.runIf(LONG)(
    'are the same bytes when it is cut at one of 1,000 random offsets',
    { timeout: 900_000 },
    () => {
      const random = seeded(20_171_202, file.length);
      return cutAt(Array.from({ length: 1_000 }, () => random.next().value));
    },
  );

  it('are the same bytes when it is cut at 1,000 random offsets at once', () => {
    const random = seeded(20_171_201, file.length);
    for (let round = 0; round < 3; round++) {
      const cuts = Array.from({ length: 1_000 }, () => random.next().value).sort((a, b) => a - b);
      const pieces = [0, ...cuts].map((from, i) => file.subarray(from, cuts[i]));
      expect(segmentsOf(pieces)).toBe(expected);
    }
  });
});

it('an upload does not stand by for another publisher: nothing of it would be recorded', async () => {
  const folder = scope.tempDir('onair-standby-');
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock, policy: { ...DEFAULT_POLICY, takeover: 'standby' } });
  const first = registry.publish(NAME, { protocol: 'rtmp', revoked: () => {} });
  const sync = new DiskSync({ failed: () => {}, recovered: () => {} }, 5);
  scope.defer(() => sync.close());
  const recordings = {
    sourceEnd: () => undefined,
    relief: async () => {},
    settle: async () => true,
    finish: async () => undefined,
  };
  const limits = { maxBytes: 1e9, silenceMs: 10_000, maxSessions: 4 };
  const uploads = new Uploads(
    {
      registry,
      clock,
      sync,
      recordings,
      folder,
      sessions: new SessionTable(
        () => clock.wall(),
        () => 'an-id',
      ),
      limits: () => limits,
      log: () => {},
    },
    async () => {},
  );
  scope.defer(() => uploads.close());
  const record = { id: 'a-session-of-this-page', stream: NAME, identity: 'me', protocol: 'upload' } as const;
  await expect(uploads.open(record, '127.0.0.1')).rejects.toMatchObject({ code: 'PUBLISH_CONFLICT' });
  expect(registry.find(NAME)?.publication).toBe(first);
  first.close('gone');
  const session = await uploads.open(record, '127.0.0.1');
  expect(registry.find(NAME)?.publication?.standby).toBe(false);
  await uploads.finish(session, 'done');
});
