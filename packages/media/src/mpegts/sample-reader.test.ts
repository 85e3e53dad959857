import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { remapped } from '../../../../test/kit/ts-film.ts';
import { buildAvcConfig } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import type { AudioParameters, Sample, Track, VideoParameters } from '../model/index.ts';
import type { Timebase } from '../time/index.ts';
import { CLOCK_RANGE } from './clock.ts';
import { id3TextTag } from './id3.ts';
import type { TsMedia, TsSample } from './mux-input.ts';
import { TS_TIME_OFFSET, TsMuxer } from './muxer.ts';
import { TsSampleReader } from './sample-reader.ts';

const SPS = hex('6742c01ed900a0 47fe88');
const AVC = buildAvcConfig([SPS], [hex('68ce3c80')]);
const VIDEO: Track = {
  ...TRACKS.h264!,
  parameters: { ...TRACKS.h264!.parameters, description: AVC } as VideoParameters,
};
const AUDIO = TRACKS.aac!;
const HEVC = TRACKS.hevc!;

function picture(keyframe: boolean, bytes: number, fill: number): Uint8Array {
  const data = new Uint8Array(bytes).fill(fill | 1);
  new DataView(data.buffer).setUint32(0, bytes - 4);
  data[4] = keyframe ? 0x65 : 0x41;
  return data;
}

function media(from = 0, count = 30): { video: TsSample[]; audio: TsSample[] } {
  const video = Array.from({ length: count }, (_, i) => ({
    dts: from + i * 3000,
    pts: from + (i + 2) * 3000,
    duration: 3000,
    keyframe: i % 15 === 0,
    data: picture(i % 15 === 0, 300 + i * 7, i),
  }));
  const start = Math.ceil((from * 48_000) / 90_000 / 1024) * 1024;
  const audio = Array.from({ length: Math.floor((count * 1600) / 1024) }, (_, i) => ({
    dts: start + i * 1024,
    pts: start + i * 1024,
    duration: 1024,
    keyframe: true,
    data: new Uint8Array(200 + i).fill(i + 1),
  }));
  return { video, audio };
}

function mux(tracks: { video?: Track; audio?: Track }, ...segments: TsMedia[]): Uint8Array {
  const muxer = new TsMuxer();
  muxer.begin(tracks, false);
  return concatBytes(segments.map((segment) => muxer.segment(segment)));
}

function read(pieces: readonly Uint8Array[]) {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const faults: string[] = [];
  const reader = new TsSampleReader({
    track: (track) => tracks.push(track),
    sample: (sample) => samples.push(sample),
    fault: ({ code }) => faults.push(code),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  const of = (kind: string) => samples.filter(({ track }) => track.parameters.kind === kind);
  return { tracks, faults, video: of('video'), audio: of('audio') };
}

const shape = ({ dts, pts, keyframe, data }: TsSample | Sample, offset = 0) => ({
  dts: dts - offset,
  pts: pts - offset,
  keyframe,
  data: [...data].join(),
});

describe('TsSampleReader', () => {
  it('gives back what was muxed, however the bytes are cut', () => {
    const source = media();
    const bytes = mux({ video: VIDEO, audio: AUDIO }, source);
    const offset48 = (TS_TIME_OFFSET * 48_000) / 90_000;
    for (const size of [1, 187, 1000, bytes.length]) {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
      const { tracks, faults, video, audio } = read(pieces);
      expect(faults).toEqual([]);
      expect(tracks.map(({ parameters }) => parameters.codec)).toEqual(['h264', 'aac']);
      expect((tracks[0]!.parameters as VideoParameters).description).toEqual(AVC);
      expect((tracks[1]!.parameters as AudioParameters).description).toEqual(hex('1190'));
      expect(video.map((one) => shape(one, TS_TIME_OFFSET))).toEqual(source.video.map((one) => shape(one)));
      expect(audio.map((one) => shape(one, offset48))).toEqual(source.audio.map((one) => shape(one)));
      expect(audio.every(({ duration }) => duration === 1024)).toBe(true);
    }
  });

  it('counts times on over the turn of the clock', () => {
    const from = CLOCK_RANGE - TS_TIME_OFFSET - 45_000;
    const { video, audio, faults } = read([mux({ video: VIDEO, audio: AUDIO }, media(from))]);
    expect(faults).toEqual([]);
    for (const [list, step] of [
      [video, 3000],
      [audio, 1024],
    ] as const) {
      for (let i = 1; i < list.length; i++) expect(list[i]!.dts - list[i - 1]!.dts).toBe(step);
    }
    const apart = audio[0]!.dts / 48_000 - video[0]!.dts / 90_000;
    expect(Math.abs(apart)).toBeLessThan(0.03);
  });

  it('joins frames that lie across packets, and finds the next one behind other bytes', () => {
    const source = media();
    const muxer = new TsMuxer();
    muxer.begin({ audio: AUDIO }, false);
    const whole = read([muxer.segment({ audio: source.audio })]).audio.map(({ data }) => data);
    // The same frames, cut elsewhere: MP3 is carried as it is, so it can carry ADTS too.
    const frames = concatBytes(whole.map((data) => concatBytes([adts(data.length), data])));
    const cuts = [0, 5, 100, 333, 1000, 1001, 4000, frames.length];
    const packets = cuts.slice(1).map((end, i) => ({
      dts: i * 40_000,
      pts: i * 40_000,
      duration: 0,
      keyframe: true,
      data: frames.subarray(cuts[i], end),
    }));
    const foreign = muxAs(packets);
    const { audio, faults } = read([foreign]);
    expect(faults).toEqual([]);
    expect(audio.map(({ data }) => [...data].join())).toEqual(whole.map((data) => [...data].join()));
    const broken = packets.map((packet, i) =>
      i === 2 ? { ...packet, data: concatBytes([hex('00fff111fffbff'), packet.data]) } : packet,
    );
    const after = read([muxAs(broken)]);
    expect(after.faults).toContain('FRAME_MALFORMED');
    expect(after.audio.length).toBeGreaterThan(whole.length - 4);
  });

  it('tells of new parameters, and of codecs that it passes over', () => {
    const wide = buildAvcConfig([hex('6742c01fd900a0 47fe88')], [hex('68ce3c80')]);
    const other: Track = {
      ...VIDEO,
      parameters: { ...VIDEO.parameters, description: wide } as VideoParameters,
    };
    const muxer = new TsMuxer();
    muxer.begin({ video: VIDEO, audio: TRACKS.ac3! }, false);
    const first = muxer.segment(media());
    muxer.begin({ video: other, audio: TRACKS.ac3! }, true);
    const second = muxer.segment(media(900_000));
    const { tracks, faults, video } = read([first, second].map((part) => remapped(part, 0x81, 0x9f)));
    expect(tracks.map(({ id, parameters }) => [id, (parameters as VideoParameters).codecString])).toEqual([
      [0x100, 'avc1.42c01e'],
      [0x100, 'avc1.42c01f'],
    ]);
    expect(faults).toEqual(['TS_CODEC_UNSUPPORTED']);
    expect(video).toHaveLength(60);
  });

  it('gives sections of SCTE 35 with the clock, and ID3 tags, however the bytes are cut', () => {
    const section = hex(
      'fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a',
    );
    const muxer = new TsMuxer();
    muxer.begin({ video: VIDEO, metadata: true, splices: true }, false);
    const tag = id3TextTag({ description: 'a', value: 'b' });
    const metadata = [{ pts: 6000, tag }];
    const bytes = muxer.segment({ video: media().video, metadata, splices: [section, section] });
    const told = (pieces: readonly Uint8Array[]): unknown[] => {
      const found: unknown[] = [];
      const reader = new TsSampleReader({
        track: () => undefined,
        sample: () => undefined,
        program: (streams) => found.push({ streams }),
        splice: (bytes, unwrap) => found.push([...bytes], unwrap(CLOCK_RANGE - 1)),
        metadata: (bytes, time) => found.push([...bytes], time),
        fault: ({ code }) => found.push(code),
      });
      for (const piece of pieces) reader.push(piece);
      reader.end();
      return found;
    };
    const expected = told([bytes]);
    expect(expected.filter(Array.isArray)).toEqual([[...section], [...section], [...tag]]);
    expect(expected).toContain(6000 + TS_TIME_OFFSET);
    expect(told([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
    for (let cut = 1; cut < bytes.length; cut += 97) {
      expect(told([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
    }
  });

  it('begins at a keyframe and leaves out what is damaged', () => {
    const source = media();
    const bytes = mux({ video: VIDEO }, { video: source.video.slice(3) });
    expect(read([bytes]).video).toHaveLength(15);
    const packet = 188 * 6;
    const lost = concatBytes([bytes.subarray(0, packet), bytes.subarray(packet + 188)]);
    expect(read([lost]).faults).toContain('TS_CONTINUITY');
  });

  it('survives any content of a packet quickly', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.constantFrom(0x1b, 0x24, 0x0f, 0x03, 0x81, 0x87),
        (data, type) => {
          read([retyped(muxAs([{ dts: 0, pts: 0, duration: 0, keyframe: true, data }]), type)]);
        },
      ),
      { numRuns: 200 },
    );
    const began = performance.now();
    for (const pattern of [
      'ff',
      'fff13c80',
      'fffb90',
      '00000167',
      '000001',
      '0b77',
      '0b7704030000',
      '0b7740000000',
    ]) {
      const data = hex(pattern.repeat(120_000 / pattern.length));
      const packet = { dts: 0, pts: 0, duration: 0, keyframe: true, data: data.subarray(0, 60_000) };
      for (const type of [0x1b, 0x24, 0x0f, 0x03, 0x81, 0x87]) read([retyped(muxAs([packet]), type)]);
    }
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

/** An ADTS header of AAC-LC, 48 kHz, stereo. */
function adts(bytes: number): Uint8Array {
  const size = bytes + 7;
  return Uint8Array.of(0xff, 0xf1, 0x4c, 0x80 | (size >> 11), size >> 3, ((size & 7) << 5) | 0x1f, 0xfc);
}

/** PES packets with this content, said to be ADTS: MP3 is muxed as it comes. */
function muxAs(packets: readonly TsSample[]): Uint8Array {
  const track: Track = { ...TRACKS.mp3!, timebase: 90_000 as Timebase };
  return retyped(mux({ audio: track }, { audio: packets }), 0x0f);
}

/** The stream with another type in its program map. */
function retyped(bytes: Uint8Array, type: number): Uint8Array {
  const muxer = new TsMuxer();
  const template: Readonly<Record<number, Track>> = {
    15: AUDIO,
    3: TRACKS.mp3!,
    129: TRACKS.ac3!,
    135: TRACKS.eac3!,
  };
  const video: Readonly<Record<number, Track>> = { 27: VIDEO, 36: HEVC };
  muxer.begin(type in video ? { video: video[type]! } : { audio: template[type]! }, false);
  const tables = muxer.segment({}).subarray(0, 376);
  const out = bytes.slice();
  out.set(tables);
  // Elementary packets go to the PID of that kind.
  if (type in video) for (let at = 376; at < out.length; at += 188) out[at + 2] = 0x00;
  return out;
}
