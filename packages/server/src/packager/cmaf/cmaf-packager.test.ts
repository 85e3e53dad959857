import { MICROSECONDS, rescale, type Sample, streamName, ticks } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import {
  audioParameters,
  audioTrack,
  programme,
  sampleAt,
  videoParameters,
  videoTrack,
} from '../../../../../test/kit/samples.ts';
import { type Block, StreamRegistry } from '../../hub/index.ts';
import type { CmafConfig } from './cmaf-log.ts';
import { cmafPackagerKind } from './cmaf-packager.ts';

const NAME = streamName('live', 'test');

function setUp() {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const registry = new StreamRegistry({ clock, onFault: (_, error) => faults.push(error) });
  const stream = registry.open(NAME);
  stream.attach();
  const packager = stream.packager(cmafPackagerKind());
  const blocks: Block<CmafConfig>[] = [];
  packager.log.follow({ appended: (block) => blocks.push(block), ended: () => {} });
  const publish = () => registry.publish(NAME, { protocol: 'test', revoked: () => {} });
  return { clock, registry, stream, packager, blocks, publish, faults };
}

const video = videoTrack({ ...videoParameters(), frameRate: 25 });
const audio = audioTrack();

/** Like a real source: audio samples know their durations. */
function told(samples: readonly Sample[]): Sample[] {
  return samples.map((sample) =>
    sample.track.parameters.kind === 'audio' ? { ...sample, duration: ticks(1024) } : sample,
  );
}

describe('CmafPackager', () => {
  it('makes a config block, a chunk per video frame and audio chunks in between', () => {
    const { blocks, publish, faults } = setUp();
    const publication = publish();
    publication.setTrack(video);
    publication.setTrack(audio);
    for (const sample of told(programme(video, audio, 2))) publication.push(sample);
    expect(faults).toEqual([]);
    expect(blocks[0]).toMatchObject({ kind: 'config', discontinuity: true, track: 0 });
    const { inits } = blocks[0]!.epoch.config;
    expect([...inits.keys()]).toEqual([1, 2]);
    expect(parseInit(inits.get(1)!).tracks[0]).toMatchObject({ codec: 'h264', timebase: 90_000 });
    expect(parseInit(inits.get(2)!).tracks[0]).toMatchObject({ codec: 'aac', timebase: 48_000 });
    const frames = blocks.filter((block) => block.video);
    expect(frames).toHaveLength(50);
    expect(frames.map((block) => block.independent).filter(Boolean)).toHaveLength(2);
    expect(frames.filter((block) => block.discontinuity)).toHaveLength(1);
    const sound = blocks.filter((block) => block.track === 2);
    expect(sound.every((block) => block.duration <= 43_000 && !block.independent)).toBe(true);
    expect(sound.length).toBeLessThan(55);
  });

  it('writes what came in, contiguous in every unit', () => {
    const { blocks, publish } = setUp();
    const publication = publish();
    publication.setTrack(video);
    publication.setTrack(audio);
    const sent = told(programme(video, audio, 3));
    for (const sample of sent) publication.push(sample);
    for (const track of [video, audio]) {
      const own = blocks.filter((block) => block.track === track.id);
      const chunks = parseChunks(concatBytes(own.map((block) => block.bytes)));
      expect(chunks.map(({ sequence }) => sequence)).toEqual(own.map((_, i) => i + 1));
      const read = chunks.flatMap(({ tracks }) => tracks[0]!.samples);
      const expected = sent.filter((sample) => sample.track === track).slice(0, read.length);
      expect(read.map(({ data }) => data)).toEqual(expected.map(({ data }) => data));
      for (const [i, item] of read.entries()) {
        const next = read[i + 1];
        if (next !== undefined) expect(item.dts + item.duration).toBe(next.dts);
      }
      for (const [i, block] of own.entries()) {
        const next = own[i + 1];
        if (next !== undefined) expect(block.time + block.duration).toBe(next.time);
        expect(block.time).toBe(
          rescale(ticks(chunks[i]!.tracks[0]!.baseDecodeTime), track.timebase, MICROSECONDS),
        );
      }
    }
  });

  it('shows each picture when it came, without a hole in decoding times, where a camera hesitates', () => {
    const { blocks, publish } = setUp();
    const publication = publish();
    publication.promise({ audio: false, video: true });
    publication.setTrack(video);
    const shown = [0, 180, 230, 280, 800, 850, 2300, 2350, 2400, 2450];
    for (const [i, ms] of shown.entries()) {
      publication.push({ ...sampleAt(video, ms), keyframe: i === 0 || ms === 800 });
    }
    const own = blocks.filter((block) => block.kind === 'media');
    const read = parseChunks(concatBytes(own.map(({ bytes }) => bytes))).flatMap(
      ({ tracks }) => tracks[0]!.samples,
    );
    expect(read.map(({ pts }) => Math.round((pts - read[0]!.pts) / 90))).toEqual(shown);
    for (const [i, { dts, duration }] of read.entries()) {
      expect(dts).toBeLessThanOrEqual((read[i - 1]?.dts ?? 0) + 2 * (read[i - 1]?.duration ?? dts));
      expect(duration).toBeGreaterThan(0);
    }
    expect(own.map(({ time, compositionOffset }) => Math.round((time + compositionOffset) / 1000))).toEqual(
      shown.map((ms) => ms + own[0]!.time / 1000),
    );
    expect(own.map(({ lag }) => lag)).toEqual(own.map(({ compositionOffset }) => compositionOffset));
    expect(own[4]).toMatchObject({ independent: true });
    expect(own[4]!.lag).toBeGreaterThan(300_000);
  });

  it('gathers audio alone up to 40 ms, and every chunk is a place to start', () => {
    const { blocks, publish } = setUp();
    const publication = publish();
    publication.promise({ audio: true, video: false });
    publication.setTrack(audio);
    for (let i = 0; i < 100; i++) {
      publication.push({ ...sampleAt(audio, (i * 1024) / 48), duration: ticks(1024) });
    }
    const media = blocks.filter((block) => block.kind === 'media');
    expect(media.map((block) => block.duration).every((duration) => Math.abs(duration - 42_667) <= 1)).toBe(
      true,
    );
    expect(media.every((block) => block.independent)).toBe(true);
  });

  it('keeps the init segments when a publisher comes back the same, and makes new ones when it does not', () => {
    const { blocks, publish } = setUp();
    const first = publish();
    first.setTrack(video);
    first.promise({ video: true });
    for (const sample of programme(video, undefined, 1)) first.push(sample);
    first.close('gone');
    const second = publish();
    second.setTrack(video);
    second.promise({ video: true });
    for (const sample of programme(video, undefined, 1)) second.push(sample);
    second.close('gone');
    expect(blocks.filter((block) => block.kind === 'config')).toHaveLength(1);
    const third = publish();
    const wider = videoTrack(videoParameters(1280, 720));
    third.setTrack(wider);
    third.promise({ video: true });
    for (const sample of programme(wider, undefined, 1)) third.push(sample);
    expect(blocks.filter((block) => block.kind === 'config')).toHaveLength(2);
    const media = blocks.filter((block) => block.kind === 'media');
    expect(media.filter((block) => block.discontinuity).map((block) => media.indexOf(block))).toEqual([
      0, 25, 50,
    ]);
    expect(media.every((block, i) => i === 0 || block.time > media[i - 1]!.time)).toBe(true);
    const sequences = media.map((block) => parseChunks(block.bytes)[0]!.sequence);
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
  });

  it('passes over tracks that fMP4 cannot carry', () => {
    const { blocks, publish, faults } = setUp();
    const bare = videoTrack({ ...videoParameters(), description: new Uint8Array(0) });
    const publication = publish();
    publication.setTrack(bare);
    publication.setTrack(audioTrack(audioParameters(44_100)));
    publication.push(sampleAt(bare, 0));
    for (let i = 0; i < 9; i++) publication.push(sampleAt(audioTrack(audioParameters(44_100)), i * 23));
    expect(faults).toEqual([]);
    expect(new Set(blocks.map((block) => block.track))).toEqual(new Set([0, 2]));
    expect(blocks[0]!.epoch.tracks.map(({ id }) => id)).toEqual([2]);
    expect(blocks.at(-1)!.independent).toBe(true);
  });

  it('hands over what is pending when the publisher goes', () => {
    const { blocks, publish } = setUp();
    const publication = publish();
    publication.promise({ audio: true, video: false });
    publication.setTrack(audio);
    publication.push({ ...sampleAt(audio, 0), duration: ticks(1024) });
    expect(blocks.filter((block) => block.kind === 'media')).toHaveLength(0);
    publication.close('gone');
    expect(blocks.filter((block) => block.kind === 'media')).toHaveLength(1);
  });
});
