import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AmfEcmaArray } from '../amf/index.ts';
import { ParseError, type Sample, type Track } from '../model/index.ts';
import { type Ticks, VIDEO_TIMEBASE } from '../time/index.ts';
import { parseAudioBody } from './audio-message.ts';
import { FlvReader } from './flv-reader.ts';
import { scriptBody } from './script.ts';
import { encodeFlvTag, type Tag, type TagType } from './tag.ts';
import { TagDemuxer } from './tag-demuxer.ts';
import { configTag, encodeSampleAsFlvTag, preciseVideoTag, sampleTag } from './tag-muxer.ts';
import { parseVideoBody } from './video-message.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const ascii = (text: string): string =>
  [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('');

function demuxer(): {
  readonly push: (type: TagType, timestampMs: number, body: string) => void;
  readonly tracks: Track[];
  readonly samples: Sample[];
  readonly told: unknown[];
  readonly demuxer: TagDemuxer;
} {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const told: unknown[] = [];
  const demuxer = new TagDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: (sample) => samples.push(sample),
    onMetadata: (value) => told.push(value),
    onDataEvent: (name, values, timestampMs) => told.push([name, values, timestampMs]),
  });
  const push = (type: TagType, timestampMs: number, body: string): void =>
    demuxer.push({ type, timestampMs, body: hex(body) });
  return { push, tracks, samples, told, demuxer };
}

const AVCC = '0142c00dffe100196742c00dd901419f9f0110000003001000000303c0f142a48001000568cb83cb20';
const HVCC =
  '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959009' +
  'a10001002b42010101600000030090000003000003003ca00a080b9f796564924caf016808000003000800000300f040a20001000744' +
  '01c172b46240';
const AV1C = '81000c000a0b000000043cfecc02f80040';
const VPCC = '01000000000b820202020000';
const VP9_KEY = '824983420013f00b360438241c184a000a40';
const VP8_KEY = 'f062009d012a4001b4000007';
const OPUS_HEAD = '4f707573486561640102380180bb0000000000';
const FLAC = '664c614380000022120012000001060004ff0bb800f0000038407044de84a8b56e9e558a37d978aff114';
const AC3 = '0b77b50b1e40ebf8403e';
const EAC3 = '0b77017f3487c0002084';
const MP3 = `fff370c0${'00'.repeat(178)}`;

/** Codec, configuration body if there is one, frame body, and the track expected. */
const CODECS: readonly (readonly [type: TagType, config: string, frame: string, track: object])[] = [
  ['video', `1700000000 ${AVCC}`, '1701000000 00000002 6588', { codec: 'h264', codecString: 'avc1.42c00d' }],
  [
    'video',
    `1c00000000 ${HVCC}`,
    '1c01000000 00000003 2601af',
    { codec: 'hevc', codecString: 'hvc1.1.6.L60.90' },
  ],
  [
    'video',
    `90${ascii('hvc1')} ${HVCC}`,
    `93${ascii('hvc1')} 00000003 2601af`,
    { codec: 'hevc', width: 320 },
  ],
  ['video', `90${ascii('av01')} ${AV1C}`, `91${ascii('av01')} 32041b1400a1`, { codec: 'av1', width: 320 }],
  [
    'video',
    `90${ascii('av01')} ${AV1C.slice(0, 8)}`,
    `91${ascii('av01')} 1200 ${AV1C.slice(8)} 32041b1400a1`,
    { codec: 'av1', width: 320 },
  ],
  ['video', '', `91${ascii('av01')} ${AV1C.slice(8)} 32041b1400a1`, { codec: 'av1', height: 180 }],
  ['video', `90${ascii('vp09')} ${VPCC}`, `91${ascii('vp09')} ${VP9_KEY}`, { codecString: 'vp09.00.11.08' }],
  ['video', '', `91${ascii('vp09')} ${VP9_KEY}`, { codec: 'vp9', width: 320, height: 180 }],
  ['video', `90${ascii('vp08')} ${VPCC}`, `91${ascii('vp08')} ${VP8_KEY}`, { codec: 'vp8', width: 320 }],
  ['audio', 'af00 1210', 'af01 2110', { codec: 'aac', sampleRate: 44_100 }],
  ['audio', `90${ascii('mp4a')} 1190`, `91${ascii('mp4a')} 2110`, { codec: 'aac', sampleRate: 48_000 }],
  ['audio', '', `2a ${MP3}`, { codec: 'mp3', sampleRate: 22_050, channels: 1 }],
  ['audio', `90${ascii('Opus')} ${OPUS_HEAD}`, `91${ascii('Opus')} fc00`, { codec: 'opus', channels: 2 }],
  [
    'audio',
    `90${ascii('fLaC')} ${FLAC}`,
    `91${ascii('fLaC')} fff85a0800`,
    { codec: 'flac', frameSize: 4608 },
  ],
  ['audio', '', `91${ascii('ac-3')} ${AC3}`, { codec: 'ac3', channels: 6 }],
  ['audio', '', `91${ascii('ec-3')} ${EAC3}`, { codec: 'eac3', codecString: 'ec-3' }],
];

describe('every codec', () => {
  for (const [type, config, frame, expected] of CODECS) {
    it(`goes in and out again: ${JSON.stringify(expected)}`, () => {
      const first = demuxer();
      if (config !== '') first.push(type, 0, config);
      first.push(type, 40, frame);
      first.push(type, 80, frame);
      expect(first.tracks.length).toBe(1);
      expect(first.tracks[0]).toMatchObject({ id: type === 'video' ? 1 : 2, parameters: expected });
      expect(first.samples.length).toBe(2);
      expect(first.samples.every((sample) => sample.keyframe && sample.track === first.tracks[0])).toBe(true);

      const second = demuxer();
      const head = configTag(first.tracks[0]!);
      if (head !== undefined) second.demuxer.push({ ...head, timestampMs: 0 });
      for (const sample of first.samples) second.demuxer.push(sampleTag(sample));
      expect(second.tracks).toEqual(first.tracks);
      expect(second.samples).toEqual(first.samples);
      expect(encodeSampleAsFlvTag(first.samples[1]!)).toEqual(encodeFlvTag(sampleTag(first.samples[1]!)));
    });
  }

  it('on further tracks travels as multitrack and keeps its id', () => {
    const first = demuxer();
    first.push('video', 0, `96 00 ${ascii('avc1')} 01 ${AVCC}`);
    first.push('video', 0, `96 01 ${ascii('avc1')} 01 000028 00000002 6588`);
    first.push('audio', 0, `95 20 ${ascii('mp4a')} 00 000002 1210 ${ascii('Opus')} 03 000013 ${OPUS_HEAD}`);
    first.push('audio', 0, `95 21 ${ascii('mp4a')} 00 000002 2110 ${ascii('Opus')} 03 000002 fc00`);
    expect(first.tracks.map((track) => track.id)).toEqual([3, 2, 8]);
    expect(first.samples.map((sample) => [sample.track.id, sample.pts])).toEqual([
      [3, 3600],
      [2, 0],
      [8, 0],
    ]);
    const second = demuxer();
    for (const track of first.tracks) second.demuxer.push({ ...configTag(track)!, timestampMs: 0 });
    for (const sample of first.samples) second.demuxer.push(sampleTag(sample));
    expect([second.tracks, second.samples]).toEqual([first.tracks, first.samples]);
    expect(() => first.push('audio', 0, `95 01 ${ascii('Opus')} 10 fc`)).toThrow(
      expect.objectContaining({ code: 'FLV_TOO_MANY_TRACKS' }),
    );
  });
});

describe('a real file with multitrack', () => {
  it('has four tracks, and is written as it was read', () => {
    const reader = new FlvReader();
    reader.push(
      new Uint8Array(readFileSync(new URL('../../fixtures/enhanced-multitrack.flv', import.meta.url))),
    );
    const tracks: Track[] = [];
    const written: string[] = [];
    const read: string[] = [];
    const target = new TagDemuxer({
      onTrack: (track) => {
        tracks.push(track);
        written.push(`${configTag(track)!.body}`);
      },
      onSample: (sample) => written.push(`${sampleTag(sample).body}`),
      onMetadata: (value) => expect(value).toBeInstanceOf(AmfEcmaArray),
      onDataEvent: () => undefined,
    });
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind !== 'tag') continue;
      target.push(item.tag);
      const { type, body } = item.tag;
      const parse = type === 'video' ? parseVideoBody : parseAudioBody;
      const kind = type === 'script' ? undefined : parse(body)[0]?.kind;
      if (kind === 'config' || kind === 'frame') read.push(`${body}`);
    }
    expect(tracks.map((track) => [track.id, track.parameters.codec]).sort()).toEqual([
      [1, 'hevc'],
      [2, 'aac'],
      [3, 'av1'],
      [4, 'opus'],
    ]);
    expect(written.join('\n') === read.join('\n')).toBe(true);
  });
});

describe('parameters', () => {
  it('that change make a new track of the same id; the same again does not', () => {
    const { push, tracks, samples } = demuxer();
    push('audio', 0, 'af00 1210');
    push('audio', 0, 'af01 2110');
    push('audio', 23, 'af00 1210');
    push('audio', 23, 'af01 2110');
    push('audio', 46, 'af00 1190');
    push('audio', 46, 'af01 2110');
    expect(tracks.map((track) => [track.id, track.timebase])).toEqual([
      [2, 44_100],
      [2, 48_000],
    ]);
    expect(samples.map((sample) => [sample.dts, sample.track === tracks[0]])).toEqual([
      [0, true],
      [1024, true],
      [46 * 48, false],
    ]);
  });

  it('are told by key frames of VP8 and VP9', () => {
    const { push, tracks, samples, demuxer: counted } = demuxer();
    const inter = `a1${ascii('vp09')} 86`;
    push('video', 0, inter);
    push('video', 40, `91${ascii('vp09')} ${VP9_KEY}`);
    push('video', 80, inter);
    push('video', 120, `91${ascii('vp09')} ${VP9_KEY}`);
    push('video', 160, `91${ascii('vp08')} ${VP8_KEY}`);
    expect(tracks.map((track) => track.parameters.codec)).toEqual(['vp9', 'vp8']);
    expect(samples.map((sample) => sample.keyframe)).toEqual([true, false, true, true]);
    expect(counted.dropped).toBe(1);
  });

  it('of AV1 without record follow its key frames', () => {
    const { push, tracks } = demuxer();
    const keyFrame = (sequence: string): string => `91${ascii('av01')} ${sequence} 32041b1400a1`;
    const other = '0a0a00000003b4fd900be001';
    for (const sequence of [AV1C.slice(8), AV1C.slice(8), other, other]) push('video', 0, keyFrame(sequence));
    expect(tracks.map(({ parameters }) => parameters)).toMatchObject([{ width: 320 }, { width: 160 }]);
    push('video', 0, `90${ascii('av01')} ${AV1C}`);
    push('video', 0, keyFrame(other));
    expect(tracks.length).toBe(3);
  });

  it('that cannot be read leave the old ones in force', () => {
    const { push, tracks, samples } = demuxer();
    push('video', 0, `1700000000 ${AVCC}`);
    expect(() =>
      push('video', 0, `1700000000 ${AVCC.replace('0142c00dff', '0142c00dfd').slice(0, -8)}`),
    ).toThrow(expect.objectContaining({ name: 'ParseError' }));
    push('video', 40, '1701000000 00000002 6588');
    expect([tracks.length, samples.length]).toEqual([1, 1]);
  });

  it('are missed: frames before them are dropped and counted', () => {
    const { push, samples, demuxer: counted } = demuxer();
    push('video', 0, '1701000000 00000002 6588');
    push('audio', 0, 'af01 2110');
    push('audio', 0, `91${ascii('Opus')} fc00`);
    expect([samples.length, counted.dropped]).toEqual([0, 3]);
    push('audio', 0, 'af00 1210');
    push('audio', 0, `91${ascii('Opus')} fc00`);
    push('audio', 0, 'af01 2110');
    expect([samples.length, counted.dropped]).toEqual([1, 4]);
  });

  it('take the frame rate of the metadata where the bitstream tells none', () => {
    const { push, tracks, demuxer: pushed } = demuxer();
    const body = scriptBody('onMetaData', [new AmfEcmaArray({ framerate: 24 })]);
    pushed.push({ type: 'script', timestampMs: 0, body });
    push('video', 0, `90${ascii('av01')} ${AV1C}`);
    expect(tracks[0]!.parameters).toMatchObject({ frameRate: 24 });
  });

  it('with shorter NAL lengths are rewritten, as are the frames', () => {
    const { push, tracks, samples } = demuxer();
    push('video', 0, `1700000000 ${AVCC.replace('0142c00dff', '0142c00dfd')}`);
    push('video', 0, '1701000000 0002 6588 0001 41');
    expect((tracks[0]!.parameters as { description: Uint8Array }).description).toEqual(hex(AVCC));
    expect(samples[0]!.data).toEqual(hex('00000002 6588 00000001 41'));
  });
});

describe('bodies that say nothing', () => {
  it('are silence, ends, commands and empty frames', () => {
    const { push, samples, demuxer: counted } = demuxer();
    push('audio', 0, 'af00 1210');
    push('video', 0, `1700000000 ${AVCC}`);
    for (const body of ['', 'af01', 'af00', `91${ascii('Opus')}`]) push('audio', 10, body);
    for (const body of ['', '1702000000', '5700', '1700000000', '1701000000', `94${ascii('avc1')} 02`]) {
      push('video', 10, body);
    }
    expect([samples.length, counted.dropped]).toEqual([0, 0]);
  });
});

describe('malformed bodies', () => {
  it('throw, and leave the demuxer usable', () => {
    const { push, samples } = demuxer();
    push('video', 0, `1700000000 ${AVCC}`);
    for (const [body, code] of [
      ['1701000000 00000009 6588', 'NAL_MALFORMED'],
      ['1701000000 00000002 658800', 'NAL_MALFORMED'],
      ['1701000000 00000002 6588 00000001 658884', 'NAL_MALFORMED'],
      ['1701000000 000000016588841234', 'FLV_ANNEX_B'],
      ['1701000000 0000016588841234', 'FLV_ANNEX_B'],
      ['2200', 'FLV_CODEC_UNSUPPORTED'],
      [`1700000000 ${AVCC.slice(0, 30)}`, 'BYTES_OUT_OF_RANGE'],
      ['17', 'BYTES_OUT_OF_RANGE'],
    ] as const) {
      expect(() => push('video', 10, body)).toThrow(expect.objectContaining({ name: 'ParseError', code }));
    }
    push('video', 20, '1701000000 00000002 6588');
    expect(samples.map((sample) => sample.dts)).toEqual([1800]);
  });

  it('made of a real file give samples or typed errors', () => {
    const reader = new FlvReader();
    reader.push(
      new Uint8Array(readFileSync(new URL('../../fixtures/h264-aac-bframes.flv', import.meta.url))),
    );
    const tags: Tag[] = [];
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind === 'tag') tags.push(item.tag);
    }
    const damage = fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 255 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 8 }), (hits) => {
        const { demuxer: target } = demuxer();
        const broken = tags.slice(0, 12).map((tag) => ({ ...tag, body: tag.body.slice() }));
        for (const [index, at, value, cut] of hits) {
          const tag = broken[index % broken.length]!;
          if (cut) tag.body = tag.body.subarray(0, at % (tag.body.length + 1));
          else tag.body[at % Math.min(tag.body.length, 64)] = value;
        }
        for (const tag of broken) {
          try {
            target.push(tag);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('MP3', () => {
  it('of a real file comes in steps of 1152', () => {
    const reader = new FlvReader();
    reader.push(new Uint8Array(readFileSync(new URL('../../fixtures/mp3-44100.flv', import.meta.url))));
    const { demuxer: target, tracks, samples } = demuxer();
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind === 'tag') target.push(item.tag);
    }
    expect(tracks[0]!.parameters).toMatchObject({ codecString: 'mp3', sampleRate: 44_100, frameSize: 1152 });
    expect(samples.length).toBeGreaterThan(35);
    const first = samples[0]!.dts;
    expect(samples.map((sample) => sample.dts)).toEqual(samples.map((_, i) => first + i * 1152));
  });

  it('of several frames in one tag becomes several samples', () => {
    const { push, samples } = demuxer();
    push('audio', 1000, `2a ${MP3} ${MP3} ${MP3}`);
    expect(samples.map((sample) => [sample.dts, sample.duration])).toEqual([
      [22_050, 576],
      [22_626, 576],
      [23_202, 576],
    ]);
  });
});

it('keeps the exact presentation time by a nanosecond offset, of any track with a new header', () => {
  const time = fc.integer({ min: 0, max: 90_000 * 86_400 });
  fc.assert(
    fc.property(time, fc.nat(90_000), fc.constantFrom(1, 3), fc.boolean(), (at, offset, id, delayed) => {
      const { tracks, samples, demuxer: pushed } = demuxer();
      const [codec, config, data] = delayed
        ? (['hevc', HVCC, '00000002 2601'] as const)
        : (['vp9', VPCC, VP9_KEY] as const);
      const parameters = {
        kind: 'video',
        codec,
        description: hex(config),
        codecString: '',
        width: 0,
        height: 0,
      } as const;
      const track: Track = { id, timebase: VIDEO_TIMEBASE, parameters };
      const [dts, pts] = [at as Ticks, (at + (delayed ? offset : 0)) as Ticks];
      pushed.push({ ...configTag(track)!, timestampMs: 0 });
      pushed.push(
        preciseVideoTag({ track, dts, pts, duration: undefined, keyframe: true, data: hex(data) })!,
      );
      expect([samples[0]!.pts, samples[0]!.data, tracks[0]!.id]).toEqual([pts, hex(data), id]);
      expect(Math.abs(samples[0]!.dts - dts)).toBeLessThan(90);
    }),
  );
});
