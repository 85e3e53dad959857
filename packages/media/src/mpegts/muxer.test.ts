import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hex, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { splitAnnexB } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import type { Track } from '../model/sample.ts';
import type { Timebase } from '../time/index.ts';
import { CLOCK_RANGE, clockDistance } from './clock.ts';
import type { TsUnit } from './demuxer.ts';
import { id3TextTag } from './id3.ts';
import { inspectTs, TsInspector } from './inspect.ts';
import type { TsMedia, TsSample } from './mux-input.ts';
import { MAX_CLOCK_STEP, TS_TIME_OFFSET, TsMuxer } from './muxer.ts';
import { MUX_PID } from './program.ts';
import { streamTypeOf } from './stream-type.ts';

const VIDEO: Track = {
  ...TRACKS.h264!,
  parameters: {
    ...TRACKS.h264!.parameters,
    description: hex('0142c01effe10004 6742c01e 010004 68ce3c80'),
  } as Track['parameters'],
};
const AUDIO = TRACKS.aac!;
const LIMIT = MAX_CLOCK_STEP * 300;

/** Access unit of NAL units with 4-byte lengths. */
const unitOf = (...nals: string[]): Uint8Array =>
  concatBytes(nals.map(hex).flatMap((nal) => [Uint8Array.of(0, 0, nal.length >> 8, nal.length), nal]));

/** A picture of `bytes` bytes. */
function picture(keyframe: boolean, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes).fill(0x5a);
  new DataView(data.buffer).setUint32(0, bytes - 4);
  data[4] = keyframe ? 0x65 : 0x41;
  return data;
}

interface Shape {
  readonly fps?: number;
  readonly gop?: number;
  readonly seconds?: number;
  readonly from?: number;
  readonly bytes?: number;
  readonly reorder?: boolean;
}

function video({
  fps = 30,
  gop = 60,
  seconds = 2,
  from = 0,
  bytes = 3000,
  reorder = false,
}: Shape): TsSample[] {
  return Array.from({ length: Math.round(seconds * fps) }, (_, i) => {
    const at = Math.round(from * 90_000 + (i * 90_000) / fps);
    const next = Math.round(from * 90_000 + ((i + 1) * 90_000) / fps);
    // Decoding order I P B B P B B: shown 1, 4, 2, 3 frames …
    const order = [1, 3, 0, 0][i % 4 === 0 ? 0 : ((i - 1) % 3) + 1]!;
    const keyframe = i % gop === 0;
    const pts = reorder ? at + Math.round((order * 90_000) / fps) : at;
    return { dts: at, pts, duration: next - at, keyframe, data: picture(keyframe, bytes) };
  });
}

function audio({ seconds = 2, from = 0, bytes = 300 }: Shape, rate = 48_000): TsSample[] {
  const first = Math.ceil((from * rate) / 1024);
  const last = Math.ceil(((from + seconds) * rate) / 1024);
  return Array.from({ length: last - first }, (_, i) => {
    const at = (first + i) * 1024;
    return {
      dts: at,
      pts: at,
      duration: 1024,
      keyframe: true,
      data: new Uint8Array(bytes + (i % 7)).fill(i),
    };
  });
}

const unitsOf = (bytes: Uint8Array): TsUnit[] => {
  const units: TsUnit[] = [];
  const inspector = new TsInspector((unit) => units.push(unit));
  inspector.push(bytes);
  expect(inspector.end().faults).toEqual([]);
  return units;
};

function muxed(tracks: { video?: Track; audio?: Track }, ...segments: TsMedia[]): Uint8Array[] {
  const muxer = new TsMuxer();
  muxer.begin(tracks, false);
  return segments.map((media) => muxer.segment(media));
}

describe('TsMuxer', () => {
  it('puts a clock into a segment too short to need one, where nothing carries it', () => {
    const [, sound] = muxed(
      { video: VIDEO, audio: AUDIO },
      { video: video({}), audio: audio({}) },
      { audio: audio({ from: 2, seconds: 0.02 }) },
    );
    const { clock } = inspectTs(sound!);
    expect(clock.count).toBe(1);
    expect(clock.backwards).toBe(0);
  });

  it('lets no sound that runs on ahead of late pictures take the clock along', () => {
    const media: TsMedia[] = [
      { video: video({}), audio: audio({ seconds: 3 }), end: 2 * 90_000 },
      { video: video({ from: 2, seconds: 0.04 }), end: 2.04 * 90_000 },
      { video: video({ from: 2.04 }), audio: audio({ from: 3, seconds: 1.04 }), end: 4.04 * 90_000 },
    ];
    const segments = muxed({ video: VIDEO, audio: AUDIO }, ...media);
    for (const segment of segments) expect(inspectTs(segment).clock.count).toBeGreaterThan(0);
    const { clock, streams } = inspectTs(concatBytes(segments));
    expect(clock).toMatchObject({ backwards: 0, discontinuities: 0 });
    expect(clock.longestStep).toBeLessThanOrEqual(LIMIT);
    expect(Math.min(...streams.map(({ margin }) => margin))).toBeGreaterThan(0);
  });

  it('puts a clock into a segment that lies behind what the clock had come to', () => {
    const [, second] = muxed(
      { video: VIDEO, audio: AUDIO },
      { video: video({}), audio: audio({ seconds: 2.2 }) },
      { video: video({ from: 2, seconds: 0.04 }) },
    );
    expect(inspectTs(second!).clock.count).toBe(1);
  });

  it.each<[string, Shape]>([
    ['30 fps', {}],
    ['B-frames', { reorder: true }],
    ['23.976 fps', { fps: 24_000 / 1001 }],
    ['25 fps', { fps: 25 }],
    ['60 fps', { fps: 60 }],
    ['5 fps', { fps: 5, gop: 10 }],
    ['1 fps with large pictures', { fps: 1, gop: 2, bytes: 60_000 }],
    ['1 fps with small pictures', { fps: 1, gop: 2, bytes: 20 }],
    ['large pictures', { bytes: 90_000 }],
    ['pictures of one packet', { bytes: 40 }],
    ['every frame a keyframe', { gop: 1 }],
  ])('keeps the rules of clock, counters and lengths: %s', (_, shape) => {
    const media = [0, 2, 4].map((from) => ({ video: video({ ...shape, from }), audio: audio({ from }) }));
    const segments = muxed({ video: VIDEO, audio: AUDIO }, ...media);
    const report = inspectTs(concatBytes(segments));
    expect(report.faults).toEqual([]);
    expect(report.programs).toHaveLength(1);
    expect(report.clock.longestStep).toBeLessThanOrEqual(LIMIT);
    expect(report.clock.backwards).toBe(0);
    expect(report.clock.discontinuities).toBe(0);
    const [pictures, sound] = report.streams;
    expect(pictures).toMatchObject({ pid: 0x100, streamType: 0x1b, backwards: 0, damaged: 0 });
    expect(pictures!.units).toBe(media.flatMap((segment) => segment.video).length);
    expect(sound).toMatchObject({ pid: 0x101, streamType: 0x0f, backwards: 0, damaged: 0 });
    for (const stream of report.streams) expect(stream.margin, `${stream.pid}`).toBeGreaterThan(0);
    for (const segment of segments) {
      const alone = inspectTs(segment);
      expect(alone.faults).toEqual([]);
      expect(alone.streams.map(({ units }) => units > 0)).toEqual([true, true]);
      expect(alone.streams[0]!.randomAccess).toBeGreaterThan(0);
    }
  });

  it('begins a segment with tables and the keyframe, and marks where decoding can start', () => {
    const [bytes] = muxed(
      { video: VIDEO, audio: AUDIO },
      { video: video({ from: 0.005 }), audio: audio({}) },
    );
    const pid = (packet: number) => ((bytes![packet * 188 + 1]! & 0x1f) << 8) | bytes![packet * 188 + 2]!;
    expect([pid(0), pid(1), pid(2)]).toEqual([0, MUX_PID.map, MUX_PID.video]);
    const [first, ...rest] = unitsOf(bytes!).filter((unit) => unit.pid === MUX_PID.video);
    expect(first!.randomAccess).toBe(true);
    expect(rest.some((unit) => unit.randomAccess)).toBe(false);
  });

  it('brings every byte of every sample, in order, with its times', () => {
    const media = {
      video: video({ reorder: true, bytes: 400, seconds: 1 }),
      audio: audio({ seconds: 1, bytes: 90 }),
    };
    const units = unitsOf(concatBytes(muxed({ video: VIDEO, audio: AUDIO }, media)));
    const pictures = units.filter(({ pid }) => pid === MUX_PID.video);
    expect(pictures.map(({ header: { pts, dts = pts } }) => [dts, pts])).toEqual(
      media.video.map(({ dts, pts }) => [dts + TS_TIME_OFFSET, pts + TS_TIME_OFFSET]),
    );
    for (const [i, { data }] of pictures.entries()) {
      expect(splitAnnexB(data).at(-1)).toEqual(media.video[i]!.data.subarray(4));
    }
    const sound = concatBytes(units.filter(({ pid }) => pid === MUX_PID.audio).map(({ data }) => data));
    let at = 0;
    for (const { data } of media.audio) {
      expect([...sound.subarray(at, at + 3)]).toEqual([0xff, 0xf1, 0x4c]);
      expect(((sound[at + 3]! & 3) << 11) | (sound[at + 4]! << 3) | (sound[at + 5]! >> 5)).toBe(
        data.length + 7,
      );
      expect(sound.subarray(at + 7, at + 7 + data.length)).toEqual(data);
      at += 7 + data.length;
    }
    expect(at).toBe(sound.length);
  });

  it('puts a delimiter in front of each access unit and parameter sets in front of keyframes', () => {
    const sample = (data: Uint8Array, keyframe: boolean, at: number): TsSample => ({
      dts: at,
      pts: at,
      duration: 3000,
      keyframe,
      data,
    });
    const [bytes] = muxed(
      { video: VIDEO },
      {
        video: [
          sample(unitOf('6588aa'), true, 0),
          sample(unitOf('419abb'), false, 3000),
          // Its own delimiter and parameter sets stay what they are, once.
          sample(unitOf('09f0', '6711', '6822', '0605ff', '6588cc'), true, 6000),
          sample(unitOf('', '419add', '09f0', '419aee'), false, 9000),
          sample(Uint8Array.of(0, 0, 0, 9, 1), false, 12_000),
        ],
      },
    );
    const nals = unitsOf(bytes!).map(({ data }) => splitAnnexB(data).map((nal) => nal[0]!.toString(16)));
    expect(nals).toEqual([
      ['9', '67', '68', '65'],
      ['9', '41'],
      ['9', '67', '68', '6', '65'],
      ['9', '41', '41'],
    ]);
  });

  it('wraps at 33 bits without a break', () => {
    const from = (CLOCK_RANGE - TS_TIME_OFFSET) / 90_000 - 1;
    const media = { video: video({ from, reorder: true }), audio: audio({ from }) };
    const report = inspectTs(concatBytes(muxed({ video: VIDEO, audio: AUDIO }, media)));
    expect(report.faults).toEqual([]);
    expect(report.clock.backwards).toBe(0);
    expect(report.clock.longestStep).toBeLessThanOrEqual(LIMIT);
    const [{ firstDts, lastDts, backwards } = { firstDts: 0, lastDts: 0, backwards: 1 }] = report.streams;
    expect(firstDts!).toBeGreaterThan(lastDts!);
    expect(clockDistance(firstDts!, lastDts!)).toBeCloseTo(59 * 3000, -1);
    expect(backwards).toBe(0);
  });

  it('carries audio alone with the clock in it', () => {
    for (const [name, rate] of [
      ['aac', 48_000],
      ['mp3', 44_100],
      ['ac3', 48_000],
      ['eac3', 48_000],
    ] as const) {
      const track = TRACKS[name]!;
      const media = [0, 2].map((from) => ({ audio: audio({ from }, rate) }));
      const report = inspectTs(concatBytes(muxed({ audio: track }, ...media)));
      expect(report.faults, name).toEqual([]);
      expect(report.programs[0]!.pcrPid).toBe(MUX_PID.audio);
      expect(report.programs[0]!.streams[0]!.streamType).toBe(streamTypeOf(track.parameters));
      expect(report.clock.longestStep, name).toBeLessThanOrEqual(LIMIT);
      expect(report.streams[0]!.margin).toBeGreaterThan(0);
      // Several frames to a packet.
      expect(report.streams[0]!.units).toBeLessThan(media.flatMap((segment) => segment.audio).length / 3);
    }
  });

  it('lets the clock run through a segment without pictures and through holes', () => {
    const media = [
      { video: video({}), audio: audio({}) },
      { audio: audio({ from: 2 }) },
      { video: video({ from: 7 }), audio: audio({ from: 7 }) },
    ];
    const report = inspectTs(concatBytes(muxed({ video: VIDEO, audio: AUDIO }, ...media)));
    expect(report.faults).toEqual([]);
    expect(report.clock.longestStep).toBeLessThanOrEqual(LIMIT);
    expect(report.clock.discontinuities).toBe(0);
    const late = inspectTs(
      concatBytes(muxed({ video: VIDEO }, { video: video({}) }, { video: video({ from: 60 }) })),
    );
    expect(late.clock.discontinuities).toBe(1);
    expect(late.packets).toBeLessThan(3000);
  });

  it('says where times do not go on, and that the program is another', () => {
    const muxer = new TsMuxer();
    muxer.begin({ video: VIDEO, audio: AUDIO }, false);
    const first = muxer.segment({ video: video({}), audio: audio({}) });
    muxer.begin({ video: VIDEO }, true);
    const second = muxer.segment({ video: video({ from: 1 }) });
    const report = inspectTs(concatBytes([first, second]));
    expect(report.faults).toEqual([]);
    expect(report.programs.map(({ version, streams }) => [version, streams.length])).toEqual([
      [0, 2],
      [1, 1],
    ]);
    expect(report.clock).toMatchObject({ discontinuities: 1, backwards: 0 });
  });

  it('carries timed ID3 tags as a stream of their own', () => {
    const muxer = new TsMuxer();
    muxer.begin({ video: VIDEO, metadata: true }, false);
    const tag = id3TextTag({ description: 'name', value: 'x'.repeat(500) });
    const bytes = muxer.segment({
      video: video({}),
      metadata: [
        { pts: 0, tag },
        { pts: 90_000, tag },
        { pts: 99_000, tag: new Uint8Array(100_000) },
      ],
    });
    const report = inspectTs(bytes);
    expect(report.programs[0]!.streams[1]).toMatchObject({ pid: 0x102, streamType: 0x15 });
    const tags = unitsOf(bytes).filter(({ pid }) => pid === 0x102);
    expect(tags.map(({ header }) => header.pts)).toEqual([TS_TIME_OFFSET, TS_TIME_OFFSET + 90_000]);
    expect(tags[0]!.data).toEqual(tag);
    expect(tags[0]!.header.streamId).toBe(0xbd);
  });

  it('carries sections of SCTE 35 on a PID of their own, announced as such', () => {
    const muxer = new TsMuxer();
    muxer.begin({ video: VIDEO }, false);
    const before = inspectTs(muxer.segment({ video: video({}) })).programs[0]!;
    muxer.begin({ video: VIDEO, splices: true }, false);
    const section = hex('fc3011000000000000 00ffffff0000004f253396');
    const bytes = muxer.segment({ video: video({ from: 2 }), splices: [section] });
    const report = inspectTs(bytes);
    const program = report.programs[0]!;
    expect(program.streams[1]).toMatchObject({ pid: 0x103, streamType: 0x86 });
    expect(program.descriptors).toContainEqual({ tag: 5, content: hex('43554549') });
    expect(program.version).not.toBe(before.version);
    const at = bytes.findIndex((_, i) => i % 188 === 0 && (bytes[i + 1]! & 0x1f) === 1 && bytes[i + 2] === 3);
    // Payload only, a pointer of 0, then the section.
    expect(bytes.subarray(at + 4, at + 5 + section.length)).toEqual(concatBytes([Uint8Array.of(0), section]));
    expect(report.faults).toEqual([]);
  });

  it('refuses what a transport stream does not carry', () => {
    for (const name of ['av1', 'vp8', 'vp9', 'vvc', 'opus', 'flac']) {
      const track = TRACKS[name]!;
      expect(streamTypeOf(track.parameters), name).toBeUndefined();
      const tracks = track.parameters.kind === 'video' ? { video: track } : { video: VIDEO, audio: track };
      expect(() => new TsMuxer().begin(tracks, false)).toThrow(
        expect.objectContaining({ code: 'TS_CODEC_UNSUPPORTED' }),
      );
    }
    const pce = {
      ...AUDIO.parameters,
      description: hex('1180040000000000000000000000'),
    } as typeof AUDIO.parameters;
    expect(() => new TsMuxer().begin({ audio: { ...AUDIO, parameters: pce } }, false)).toThrow();
    expect(() => new TsMuxer().begin({}, false)).toThrow(
      expect.objectContaining({ code: 'TS_CODEC_UNSUPPORTED' }),
    );
    expect(() => new TsMuxer().segment({})).toThrow('begin()');
  });

  it('converts times of other timebases', () => {
    const track = { ...VIDEO, timebase: 1000 as Timebase };
    const samples = [0, 33, 67].map((dts) => ({
      dts,
      pts: dts,
      duration: 33,
      keyframe: dts === 0,
      data: picture(dts === 0, 99),
    }));
    const units = unitsOf(muxed({ video: track }, { video: samples })[0]!);
    expect(units.map(({ header }) => header.pts! - TS_TIME_OFFSET)).toEqual([0, 2970, 6030]);
  });

  it('writes the same bytes as ever', () => {
    const shapes: Shape[] = [
      {},
      { reorder: true, fps: 24_000 / 1001 },
      { fps: 1, gop: 2, bytes: 20 },
      { bytes: 90_000, fps: 25 },
      { bytes: 40, gop: 1 },
    ];
    const hash = createHash('sha256');
    for (const shape of shapes) {
      const media = [0, 2, 30].map((from) => ({
        video: video({ ...shape, from }),
        audio: audio({ from }),
        metadata: [{ pts: (from + 1) * 90_000, tag: id3TextTag({ description: 'a', value: 'b' }) }],
      }));
      for (const segment of muxed({ video: VIDEO, audio: AUDIO }, ...media)) hash.update(segment);
      for (const segment of muxed({ audio: AUDIO }, ...media)) hash.update(segment);
      for (const segment of muxed({ video: VIDEO }, ...media)) hash.update(segment);
    }
    expect(hash.digest('hex')).toBe('a90824bdedb6066dafc62f554d5ef261b1006c5810ce6d0205b901669e4c62c1');
  });
});
