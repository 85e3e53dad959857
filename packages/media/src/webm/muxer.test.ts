import { describe, expect, it } from 'vitest';
import { hex, sample as sampleOf, TRACKS } from '../../../../test/kit/mp4-tracks.ts';
import { brief, demux, opusPacket, recording, vp8Frame } from '../../../../test/kit/webm-files.ts';
import { writeOpusConfig } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import type { AudioParameters } from '../model/codec.ts';
import type { Sample, Track } from '../model/sample.ts';
import { type Timebase, ticks } from '../time/index.ts';
import {
  type CuePoint,
  dumpElements,
  ID,
  type SeekEntry,
  WebmDemuxer,
  WebmMuxer,
  webmFile,
} from './index.ts';

const source = demux([recording()]);
const lines = (samples: readonly Sample[]): string[] => samples.map((sample) => brief(sample));
/** The tracks of the model first, as the muxer numbers them. */
const tracks = [source.tracks[1]!, source.tracks[0]!];

describe('as a stream', () => {
  const muxer = new WebmMuxer(tracks);
  const pieces = [muxer.header(), ...source.samples.map((sample) => muxer.push(sample))];
  const { tail, patches } = muxer.finish();

  it('every sample is there at once, and comes back', () => {
    expect(muxer.mimeType).toBe('video/webm');
    expect([tail.length, patches.length]).toEqual([0, 0]);
    expect(pieces.slice(1).every((piece) => piece.length > 5)).toBe(true);
    const back = demux(pieces);
    expect(back.faults).toEqual([]);
    expect(lines(back.samples)).toEqual(lines(source.samples));
  });

  it('has a Cluster for each key frame, of unknown size', () => {
    const dump = dumpElements(concatBytes(pieces));
    expect(dump.match(/^ {2}Cluster unknown size$/gm)).toHaveLength(5);
    expect(dump).toContain('Segment unknown size');
    expect(dump).not.toContain('Duration');
  });

  it('may be followed by another one', () => {
    const back = demux([...pieces, ...pieces]);
    expect(back.inits.map((init) => init.recording)).toEqual([0, 1]);
    expect(back.samples).toHaveLength(150);
  });
});

describe('as a file', () => {
  const file = webmFile(tracks, source.samples, { writingApp: 'test' });

  it('has duration, index and pointers that are right', () => {
    let cues: readonly CuePoint[] = [];
    let seek: readonly SeekEntry[] = [];
    let at = 0;
    let duration: number | undefined;
    const demuxer = new WebmDemuxer({
      onTrack: () => undefined,
      onSample: () => undefined,
      onInit: (init) => {
        at = init.segmentOffset;
        duration = init.info.duration;
      },
      onCues: (found) => {
        cues = found;
      },
      onSeekHead: (found) => {
        seek = found;
      },
    });
    demuxer.push(file);
    demuxer.end();
    expect(duration).toBe(1e9);
    expect(cues.map(({ time }) => time / 1e6)).toEqual([0, 200, 400, 600, 800]);
    const view = new DataView(file.buffer, file.byteOffset);
    for (const { clusterPosition } of cues) expect(view.getUint32(at + clusterPosition)).toBe(ID.Cluster);
    expect(seek.map(({ id }) => id)).toEqual([ID.Info, ID.Tracks, ID.Cues]);
    for (const { id, position } of seek) expect(view.getUint32(at + position)).toBe(id);
  });

  it('gives back the same samples, and says where everything is', () => {
    const back = demux([file]);
    expect(back.faults).toEqual([]);
    expect(lines(back.samples)).toEqual(lines(source.samples));
    const dump = dumpElements(file);
    expect(dump).not.toContain('unknown size');
    expect(dump).not.toContain('!');
    expect(dump).toContain('WritingApp 4 "test"');
  });

  it('is a good stream without its ending', () => {
    const muxer = new WebmMuxer(tracks, { mode: 'file' });
    const pieces = [muxer.header(), ...source.samples.map((sample) => muxer.push(sample))];
    const back = demux(pieces);
    expect(back.faults).toEqual([]);
    expect(back.samples).toHaveLength(60);
  });

  it('of nothing is a file too', () => {
    const back = demux([webmFile(tracks, [])]);
    expect(back.faults).toEqual([]);
    expect(back.inits[0]!.info.duration).toBeUndefined();
  });
});

describe('tracks', () => {
  it.each(['h264', 'hevc', 'vvc', 'av1', 'vp9', 'aac', 'mp3', 'opus', 'flac', 'ac3', 'eac3'])(
    '%s',
    (codec) => {
      const track = TRACKS[codec]!;
      const muxer = new WebmMuxer([track]);
      const dump = dumpElements(concatBytes([muxer.header(), muxer.push(sampleOf(track, 0))]));
      const web = ['vp9', 'av1', 'opus'].includes(codec);
      expect(dump).toContain(`DocType ${web ? '4 "webm"' : '8 "matroska"'}`);
      expect(dump).toContain('SimpleBlock 9 track=1 time=0 key');
      expect(muxer.mimeType).toBe(`${track.parameters.kind}/${web ? 'webm' : 'x-matroska'}`);
    },
  );

  it('that cannot be written are refused', () => {
    const events: Track = { ...TRACKS.aac!, parameters: { kind: 'data', codec: 'event' } };
    expect(() => new WebmMuxer([events])).toThrow(
      expect.objectContaining({ code: 'WEBM_CODEC_UNSUPPORTED' }),
    );
    expect(() => new WebmMuxer([])).toThrow(expect.objectContaining({ code: 'WEBM_TRACKS' }));
    expect(() => new WebmMuxer([TRACKS.aac!]).push(sampleOf(TRACKS.vp8!, 0))).toThrow(TypeError);
  });
});

describe('times', () => {
  const description = writeOpusConfig({
    channels: 2,
    preSkip: 312,
    inputSampleRate: 48_000,
    outputGain: 0,
    mappingFamily: 0,
    mapping: hex(''),
  });
  const opus: Track = {
    id: 2,
    timebase: 48_000 as Timebase,
    parameters: { ...(TRACKS.opus!.parameters as AudioParameters), description },
  };
  const packet = (dts: number, duration = 960): Sample => ({
    track: opus,
    dts: ticks(dts),
    pts: ticks(dts),
    duration: ticks(duration),
    keyframe: true,
    data: opusPacket(),
  });

  it('of Opus have its delay put on, and the cut end is told', () => {
    const back = demux([webmFile([opus], [packet(-312), packet(648), packet(1608, 500)])]);
    expect(back.inits[0]!.entries[0]).toMatchObject({ codecDelay: 6_500_000, seekPreRoll: 80_000_000 });
    expect(back.samples.map(({ dts, duration }) => [dts, duration])).toEqual([
      [-312, 960],
      [648, 960],
      [1608, 500],
    ]);
    expect(back.inits[0]!.info.duration! / 1e6).toBeCloseTo(50 + 500 / 48 - 10, 0);
  });

  it('below zero are moved up, all alike', () => {
    const back = demux([webmFile([opus], [packet(-4800), packet(-3840)])]);
    expect(back.samples.map(({ dts }) => dts)).toEqual([-312, 648]);
  });

  it('far apart begin a new Cluster', () => {
    const track: Track = { ...TRACKS.vp8!, id: 1 };
    const frame = (ms: number, keyframe: boolean): Sample => ({
      ...sampleOf(track, ms * 90, { key: keyframe }),
      data: vp8Frame(keyframe),
    });
    const times = [0, 4000, 6000, 100_000, 100_010, 20_000_000];
    const samples = times.map((ms, i) => frame(ms, i === 0));
    for (const mode of ['stream', 'file'] as const) {
      const muxer = new WebmMuxer([track], { mode });
      const pieces = [muxer.header(), ...samples.map((sample) => muxer.push(sample)), muxer.finish().tail];
      expect(demux(pieces).samples.map(({ pts }) => pts / 90)).toEqual(times);
      expect(dumpElements(concatBytes(pieces)).match(/^ {2}Cluster/gm)).toHaveLength(4);
    }
  });
});
