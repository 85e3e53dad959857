import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { streamName } from '@onair/media';
import { checkMediaPlaylist, parseMediaPlaylist } from '@onair/media/hls';
import { parseChunks } from '@onair/media/isobmff';
import { dumpElements } from '@onair/media/webm';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { Scope } from '../../../../test/kit/scope.ts';
import { DiskSync } from '../disk/index.ts';
import { type EventDraft, StreamRegistry } from '../hub/index.ts';
import { cmafPackagerKind } from '../packager/cmaf/index.ts';
import { recordingPlaylist } from '../vod/index.ts';
import { Recordings } from './index.ts';
import { SegmentIndex } from './segment-index.ts';
import type { RecordingView } from './view.ts';

const scope = new Scope();
afterAll(() => scope.close());
const NAME = streamName('live', 'test');
const audio = audioTrack();

function setUp(folder = scope.tempDir('onair-record-'), wanted = true) {
  const clock = new FakeClock();
  const kind = cmafPackagerKind();
  const registry = new StreamRegistry({ clock, eager: [kind] });
  const sync = new DiskSync({ failed: () => {}, recovered: () => {} }, 5);
  const log: string[] = [];
  const finished: string[] = [];
  const started: [string, string][] = [];
  const recordings = new Recordings({
    registry,
    clock,
    kind,
    sync,
    folder,
    wanted: () => wanted,
    started: (stream, file) => started.push([stream, file]),
    finished: ({ id }) => finished.push(id),
    log: (message) => log.push(message),
  });
  scope.defer(async () => {
    await recordings.close();
    sync.close();
  });
  const publish = (seconds: number, start = 0, video = videoTrack(), audible = true) => {
    const publication = registry.publish(NAME, { protocol: 'upload', revoked: () => {} });
    publication.setTrack(video);
    if (audible) publication.setTrack(audio);
    else publication.promise({ video: true, audio: false });
    for (const sample of programme(video, audible ? audio : undefined, seconds)) {
      if (sample.dts / sample.track.timebase >= start) publication.push(sample);
    }
    return publication;
  };
  return { folder, registry, recordings, publish, log, finished, started, clock };
}

/** A recording that is finished. */
function whole(done: RecordingView | 'failed' | undefined): RecordingView {
  if (done === undefined || done === 'failed') throw new Error(`not finished: ${done}`);
  return done;
}

describe('SegmentIndex', () => {
  it('cuts at key frames from 1.9 s on, at 4 s in any case, and never loses a µs', () => {
    const index = new SegmentIndex(true, 100);
    for (let i = 0; i < 400; i++) {
      const common = { time: i * 40_000, duration: 40_000, size: 10 };
      index.add({ ...common, video: true, independent: i < 200 ? i % 25 === 0 : i === 200 });
      index.add({ ...common, video: false, independent: false });
    }
    index.finish();
    const { segments } = index;
    expect(segments.reduce((sum, { duration }) => sum + duration, 0)).toBe(16_000_000);
    expect(segments.map(({ duration }) => duration / 1e6)).toEqual([2, 2, 2, 2, 4, 4]);
    expect(segments.map(({ independent }) => independent)).toEqual([true, true, true, true, true, false]);
    expect(segments[0]!.start).toBe(100);
    for (const [i, segment] of segments.entries()) {
      if (i > 0) expect(segment.start).toBe(segments[i - 1]!.end);
    }
    expect(segments.at(-1)!.end).toBe(index.size);
  });
});

describe('the end of a run', () => {
  const ended = (pictures: number, sound: number) => {
    const index = new SegmentIndex(true, 0);
    const note = { independent: false, duration: 40_000, size: 10 };
    for (let i = 0; i < pictures; i++)
      index.add({ ...note, video: true, independent: i === 0, time: i * 40_000 });
    index.add({ video: false, independent: true, time: 0, duration: sound, size: 1_000 });
    index.finish();
    return index.segments.map(({ start, end, time, duration }) => ({ start, end, time, duration }));
  };

  it('is that of the last picture, or of sound that goes on behind it', () => {
    expect(ended(25, 1_020_000)).toEqual([{ start: 0, end: 1_250, time: 0, duration: 1_000_000 }]);
    expect(ended(25, 1_044_000)).toMatchObject([{ time: 0, duration: 1_044_000 }]);
    expect(ended(25, 2_400_000)).toEqual([{ start: 0, end: 1_250, time: 0, duration: 2_400_000 }]);
  });

  it('is a segment of its own where the last one would be too long', () => {
    expect(ended(90, 5_000_000)).toEqual([
      { start: 0, end: 900, time: 0, duration: 3_600_000 },
      { start: 900, end: 1_900, time: 3_600_000, duration: 1_400_000 },
    ]);
  });
});

describe('Recordings', () => {
  it('record a stream while it is live and list it afterwards, with exact durations', async () => {
    const { recordings, publish } = setUp();
    publish(6);
    const running = await recordings.newest(NAME);
    expect(running?.finished).toBe(false);
    const done = whole(await recordings.finish(NAME));
    expect(done.finished).toBe(true);
    const list = parseMediaPlaylist(recordingPlaylist(done)!);
    expect(list).toMatchObject({ type: 'VOD', endList: true, targetDuration: 4 });
    expect(list.segments.reduce((sum, { duration }) => sum + duration, 0)).toBeCloseTo(6, 3);
    const again = await recordings.newest(NAME);
    expect({ ...again, runs: undefined }).toEqual({ ...done, runs: undefined });
    expect(again?.runs.map(({ segments }) => segments)).toEqual(done.runs.map(({ segments }) => segments));
    expect(await recordings.find(NAME, '../../etc')).toBeUndefined();
  });

  it('keep VP8 as WebM too, with a length and an index, also over a break', async () => {
    const { recordings, publish } = setUp();
    const vp8 = videoTrack({
      kind: 'video',
      codec: 'vp8',
      codecString: 'vp08.00.10.08',
      description: Uint8Array.of(0, 10, 0x82, 2, 2, 2, 0, 0),
      width: 320,
      height: 180,
    });
    publish(6, 0, vp8).close('gone');
    publish(6, 0, vp8).close('gone');
    const done = whole(await recordings.finish(NAME));
    const bytes = readFileSync(join(done.folder, 'recording.webm'));
    expect([done.webmBytes, (await recordings.newest(NAME))?.webmBytes]).toEqual([
      bytes.length,
      bytes.length,
    ]);
    const text = dumpElements(bytes);
    expect(Number(/Duration.*?([\d.]+)$/m.exec(text)![1])).toBeCloseTo(done.duration / 1000, -2);
    expect(text.match(/CueTime/g)!.length).toBeGreaterThan(4);
    // Where the runs meet a frame of sound may be in both.
    const lost = 2 * [...programme(vp8, audio, 6)].length - text.match(/SimpleBlock/g)!.length;
    expect([0, 1]).toContain(lost);
    expect(existsSync(join(done.folder, 'recording.webm.new'))).toBe(false);
  });

  it('hold the silence of a publisher that came back without its sound', async () => {
    const { recordings, publish } = setUp();
    publish(6).close('gone');
    publish(6, 0, videoTrack(), false).close('gone');
    const { runs } = whole(await recordings.finish(NAME));
    expect(runs).toHaveLength(2);
    const samples = parseChunks(readFileSync(runs[1]!.path).subarray(runs[1]!.initBytes)).flatMap(
      ({ tracks }) => tracks.filter(({ trackId }) => trackId === 2).flatMap((one) => one.samples),
    );
    expect(samples.length / (48_000 / 1024)).toBeGreaterThan(5.8);
  });

  it('begin another run where the publisher came back', async () => {
    const { recordings, publish } = setUp();
    publish(3).close('gone');
    publish(3).close('gone');
    const done = whole(await recordings.finish(NAME));
    expect(done.runs).toHaveLength(2);
    const list = parseMediaPlaylist(recordingPlaylist(done)!);
    expect(list.segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, true, false]);
  });

  it('cut a torn tail off at the next start and finish the recording, whatever was torn', async () => {
    for (const torn of [1, 7, 8, 60, 1000]) {
      const first = setUp();
      first.publish(6);
      const running = (await first.recordings.newest(NAME))!;
      await first.recordings.close();
      const [run] = readdirSync(running.folder);
      const path = join(running.folder, run!);
      const whole = readFileSync(path).length;
      truncateSync(path, whole - torn);
      const second = setUp(first.folder);
      await second.recordings.recover(new Set());
      const found = await second.recordings.newest(NAME);
      expect(found?.finished).toBe(true);
      expect(found!.duration).toBeGreaterThan(5_500_000);
      expect(found!.runs[0]!.size).toBeLessThan(whole);
      expect(second.log).toContain('recording recovered');
    }
  });

  it('go on after a restart exactly where a segment ended, when the publisher sends the rest again', async () => {
    const first = setUp();
    first.publish(5);
    const running = (await first.recordings.newest(NAME))!;
    await first.recordings.close();
    const [run] = readdirSync(running.folder);
    appendFileSync(join(running.folder, run!), Buffer.from('torn'));
    const second = setUp(first.folder);
    await second.recordings.recover(new Set([NAME]));
    const end = second.recordings.sourceEnd(NAME)!;
    expect(end.video! / 1e6).toBeCloseTo(4, 2);
    expect(Math.abs(end.audio! - end.video!)).toBeLessThan(50_000);
    second.publish(8, 4);
    const done = whole(await second.recordings.finish(NAME));
    expect(done.id).toBe(running.id);
    expect(done.runs).toHaveLength(2);
    expect(done.duration / 1e6).toBeCloseTo(8, 2);
  });

  it('begin and end by order, until the stream ends', async () => {
    const { recordings, publish, registry, finished, started, clock } = setUp(undefined, false);
    expect(recordings.order(NAME, true)).toBe('off air');
    const publication = publish(3);
    expect(recordings.order(NAME, false)).toBe('already');
    const begun = recordings.order(NAME, true);
    expect(begun).toEqual({ file: expect.stringMatching(/1\.mp4$/) });
    expect(recordings.order(NAME, true)).toBe('already');
    for (const sample of programme(videoTrack(), audio, 3, 25, 3000)) publication.push(sample);
    expect(recordings.order(NAME, false)).toMatchObject({ file: expect.any(String) });
    await vi.waitFor(() => expect(finished).toHaveLength(1));
    const done = (await recordings.newest(NAME))!;
    expect([done.id, existsSync(done.runs[0]!.path)]).toEqual([finished[0], true]);
    expect(started).toEqual([[done.stream, done.runs[0]!.path]]);
    recordings.order(NAME, true);
    publication.close('gone');
    expect(recordings.order(NAME, false)).toBe('off air');
    clock.advance(60_000);
    await vi.waitFor(() => expect(registry.find(NAME)?.state).not.toBe('waiting'));
    publish(2);
    expect(recordings.order(NAME, false)).toBe('already');
  });

  it('tell timed events as date ranges, also of a recording that goes on, that is read again, or that a crash left', async () => {
    const first = setUp();
    const { recordings, registry } = first;
    const publication = first.publish(6);
    const stream = registry.find(NAME)!;
    const say = (id: string, seconds: number, more: Partial<EventDraft> = {}): void => {
      const draft = { id, name: 'slide', time: seconds * 1e6, data: { id }, ...more };
      stream.announce(draft, id);
    };
    say('now', 5.5, { duration: 1e6 });
    say('out', 6.5, { splice: { kind: 'out', section: 'fc3000' } });
    say('in', 8.5, { splice: { kind: 'in', section: 'fc3001', of: 'out' } });
    say('ad', 9, { data: { interstitial: { uri: '/ads/1.m3u8' } } });
    say('never', 3000);
    for (const sample of programme(videoTrack(), audio, 6, 25, 6000)) publication.push(sample);
    const tells = (recording: RecordingView | undefined): Record<string, number> => {
      const { dateRanges, segments } = parseMediaPlaylist(recordingPlaylist(recording!)!);
      const begin = segments[0]!.programDateTime!;
      return Object.fromEntries(dateRanges.map(({ id, startDate }) => [id, startDate! - begin]));
    };
    const all = { now: 5500, out: 6500, ad: 9000, 'ad.interstitial': 9000 };
    await recordings.settle(NAME);
    await vi.waitFor(async () => expect(tells(await recordings.newest(NAME))).toEqual(all));
    // A crash: what is on the disk is read again.
    await recordings.close();
    const second = setUp(first.folder);
    await second.recordings.recover(new Set());
    const done = await second.recordings.newest(NAME);
    expect(done?.finished).toBe(true);
    expect(tells(done)).toEqual(all);
    const list = parseMediaPlaylist(recordingPlaylist(done!)!);
    const out = list.dateRanges.find(({ id }) => id === 'out')!;
    expect(out.endDate! - out.startDate!).toBe(2000);
    expect(checkMediaPlaylist(list)).toEqual([]);
  });
});
