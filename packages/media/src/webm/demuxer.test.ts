import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import {
  blockBody,
  brief,
  clusterParts,
  demux,
  ebmlHeader,
  endless,
  INFO,
  opusHead,
  opusPacket,
  recording,
  simpleBlock,
  trackEntry,
  VP8_OPUS,
  vp8Frame,
  webmStream,
} from '../../../../test/kit/webm-files.ts';
import { concatBytes } from '../bytes/index.ts';
import { ID } from './element-id.ts';
import { element, floatElement, intElement, master, textElement, uintElement } from './element-writer.ts';
import { WebmDemuxer } from './index.ts';

const opusEntry = (number: number, ...more: readonly Uint8Array[]): Uint8Array =>
  trackEntry(number, 2, 'A_OPUS', element(ID.CodecPrivate, opusHead(312)), ...more);
const group = (body: Uint8Array, ...more: readonly Uint8Array[]): Uint8Array =>
  master(ID.BlockGroup, [element(ID.Block, body), ...more]);

describe('a recording as browsers make it', () => {
  it('gives tracks and samples', () => {
    const { tracks, samples, inits, faults, demuxer } = demux([recording()]);
    expect(faults).toEqual([]);
    expect(demuxer.dropped).toBe(0);
    expect(tracks.map(({ id, timebase, parameters }) => [id, timebase, parameters.codec])).toEqual([
      [2, 48_000, 'opus'],
      [1, 90_000, 'vp8'],
    ]);
    expect(tracks[1]!.parameters).toMatchObject({ codecString: 'vp8', width: 64, height: 48 });
    expect(inits).toEqual([
      expect.objectContaining({ recording: 0, info: { timestampScale: 1_000_000, muxingApp: 'browser' } }),
    ]);
    expect(inits[0]!.entries.map(({ codecId }) => codecId)).toEqual(['V_VP8', 'A_OPUS']);
    const video = samples.filter(({ track }) => track.id === 1);
    const audio = samples.filter(({ track }) => track.id === 2);
    expect(video.map(({ dts, pts }) => [dts, pts])).toEqual(
      Array.from({ length: 25 }, (_, i) => [i * 3600, i * 3600]),
    );
    expect(video.map(({ keyframe }) => keyframe)).toEqual(Array.from({ length: 25 }, (_, i) => i % 5 === 0));
    expect(audio.map(({ dts, duration }) => [dts, duration])).toEqual(
      Array.from({ length: 50 }, (_, i) => [i * 960, 960]),
    );
  });

  it('is followed by another one: a new beginning with its own times', () => {
    const { tracks, samples, inits, faults } = demux([
      recording({ start: 5000 }),
      recording({ clusters: 1 }),
    ]);
    expect(faults).toEqual([]);
    expect(inits.map((init) => init.recording)).toEqual([0, 1]);
    expect(inits[1]!.segmentOffset).toBeGreaterThan(recording({ start: 5000 }).length);
    expect(tracks.map(({ id }) => id)).toEqual([2, 1, 2, 1]);
    const second = samples.slice(75);
    expect(second.map((sample) => brief(sample))).toEqual(
      demux([recording({ clusters: 1 })]).samples.map((sample) => brief(sample)),
    );
    expect(second[0]!.track).toBe(tracks[3]);
  });

  it('may be cut off anywhere', () => {
    const file = recording({ clusters: 1 });
    const whole = demux([file]).samples.length;
    for (let at = 0; at < file.length; at++) {
      const { samples, faults } = demux([file.subarray(0, at)]);
      expect(samples.length).toBeLessThanOrEqual(whole);
      expect(faults.length).toBeLessThanOrEqual(1);
    }
  });

  it('drops blocks in front of tracks, of unknown tracks, and pictures in front of a key frame', () => {
    const lead = endless(ID.Cluster, ...clusterParts(0, [simpleBlock(1, 0, vp8Frame(true))]));
    const rest = endless(
      ID.Cluster,
      ...clusterParts(10, [
        simpleBlock(1, 0, vp8Frame(false), false),
        simpleBlock(9, 0, vp8Frame(true)),
        simpleBlock(1, 5, vp8Frame(true)),
      ]),
    );
    const { samples, demuxer, faults } = demux([
      concatBytes([ebmlHeader(), endless(ID.Segment, lead, INFO, VP8_OPUS, rest)]),
    ]);
    expect(samples.map(({ pts }) => pts)).toEqual([15 * 90]);
    expect(demuxer.dropped).toBe(3);
    expect(faults).toEqual([]);
  });

  it('goes on behind a hole', () => {
    const file = recording();
    const tracks: number[] = [];
    let samples = 0;
    const demuxer = new WebmDemuxer({
      onTrack: ({ id }) => tracks.push(id),
      onSample: () => samples++,
    });
    demuxer.push(file.subarray(0, 710));
    demuxer.lost();
    const before = samples;
    demuxer.push(file.subarray(720));
    expect(tracks).toEqual([2, 1]);
    expect(samples - before).toBeGreaterThan(14);
    expect(demuxer.buffered).toBe(0);
  });
});

describe('blocks', () => {
  it('in groups tell duration and padding', () => {
    const { samples } = demux([
      webmStream(
        [trackEntry(1, 1, 'V_VP8'), opusEntry(2)],
        [
          [
            1000,
            group(blockBody(1, 0, 0, vp8Frame(true)), uintElement(ID.BlockDuration, 40)),
            group(blockBody(1, 40, 0, vp8Frame(false)), intElement(ID.ReferenceBlock, -40)),
            group(blockBody(2, 0, 0, opusPacket()), intElement(ID.DiscardPadding, 5_000_000)),
          ],
        ],
      ),
    ]);
    expect(samples.map(({ track, duration, keyframe }) => [track.id, duration, keyframe])).toEqual([
      [1, 3600, true],
      [1, undefined, false],
      [2, 720, true],
    ]);
  });

  it('hold laced frames, each with its time', () => {
    const laced = concatBytes([Uint8Array.of(0x82, 0, 0, 4, 2), opusPacket(), opusPacket(), opusPacket()]);
    const { samples } = demux([webmStream([opusEntry(2)], [[100, element(ID.SimpleBlock, laced)]])]);
    expect(samples.map(({ dts, duration, data }) => [dts, duration, data.length])).toEqual([
      [4800, 960, 12],
      [5760, 960, 12],
      [6720, 960, 12],
    ]);
  });

  it('share the duration of their group', () => {
    const laced = concatBytes([Uint8Array.of(0x81, 0, 0, 4, 1), vp8Frame(true), vp8Frame(false)]);
    const { samples } = demux([
      webmStream([trackEntry(1, 1, 'V_VP8')], [[0, group(laced, uintElement(ID.BlockDuration, 80))]]),
    ]);
    expect(samples.map(({ pts, duration }) => [pts, duration])).toEqual([
      [0, 3600],
      [3600, 3600],
    ]);
  });

  it('are timed by TimestampScale and DefaultDuration', () => {
    const info = master(ID.Info, [uintElement(ID.TimestampScale, 20_000_000), floatElement(ID.Duration, 50)]);
    const entry = trackEntry(1, 1, 'V_VP8', uintElement(ID.DefaultDuration, 20_000_000));
    const blocks = [0, 1, 2].map((i) => simpleBlock(1, i, vp8Frame(i === 0), i === 0));
    const { samples, inits, tracks } = demux([webmStream([entry], [[100, ...blocks]], info)]);
    expect(samples.map(({ pts, duration }) => [pts, duration])).toEqual([
      [180_000, 1800],
      [181_800, 1800],
      [183_600, 1800],
    ]);
    expect(inits[0]!.info.duration).toBe(1e9);
    expect(tracks[0]!.parameters).toMatchObject({ frameRate: 50 });
  });

  it('may stand before their Cluster in time, and CodecDelay is taken off', () => {
    const entry = opusEntry(2, uintElement(ID.CodecDelay, 6_500_000), textElement(ID.LanguageBCP47, 'de'));
    const { samples, tracks } = demux([webmStream([entry], [[20, simpleBlock(2, -20, opusPacket())]])]);
    expect(samples[0]!.dts).toBe(-312);
    expect(tracks[0]).toMatchObject({
      language: 'de',
      parameters: { description: hex('00020138 0000bb80 0000 00') },
    });
  });

  it('that are damaged are dropped, and told with their place', () => {
    const file = webmStream(
      [trackEntry(1, 1, 'V_VP8')],
      [
        [
          0,
          element(ID.SimpleBlock, hex('8100')),
          simpleBlock(1, 0, hex('10')),
          simpleBlock(1, 1, vp8Frame(true)),
        ],
      ],
    );
    const { samples, faults, demuxer } = demux([file]);
    expect(samples).toHaveLength(1);
    expect(faults.map(({ code }) => code)).toEqual(['WEBM_BLOCK', 'FRAME_MALFORMED']);
    expect(faults[0]!.offset).toBe(file.indexOf(ID.SimpleBlock, file.length - 60) + 2);
    expect(demuxer.dropped).toBe(1);
  });

  it('get back what header stripping took', () => {
    const settings = master(ID.ContentCompression, [
      uintElement(ID.ContentCompAlgo, 3),
      element(ID.ContentCompSettings, vp8Frame(true).subarray(0, 3)),
    ]);
    const encodings = master(ID.ContentEncodings, [master(ID.ContentEncoding, [settings])]);
    const entry = trackEntry(1, 1, 'V_VP8', encodings);
    const { samples } = demux([webmStream([entry], [[0, simpleBlock(1, 0, vp8Frame(true).subarray(3))]])]);
    expect(samples[0]!.data).toEqual(vp8Frame(true));
  });
});

describe('what is no use from the start', () => {
  it.each([
    ['another document', ebmlHeader('mystery'), 'WEBM_DOCTYPE'],
    ['a later version', ebmlHeader('webm', 5), 'WEBM_DOCTYPE'],
    ['no EBML', hex('0000001866747970'), 'EBML_HEADER_MISSING'],
    [
      'too many tracks',
      webmStream(
        Array.from({ length: 17 }, (_, i) => opusEntry(i + 1)),
        [],
      ),
      'WEBM_TRACKS',
    ],
    ['two tracks of one number', webmStream([opusEntry(1), opusEntry(1)], []), 'WEBM_TRACKS'],
    ['a track without number', webmStream([master(ID.TrackEntry, [])], []), 'WEBM_TRACKS'],
    ['damaged tracks', webmStream([hex('ae85d7')], []), 'EBML_SIZE'],
  ])('is refused: %s', (_, bytes, code) => {
    const demuxer = new WebmDemuxer({ onTrack: () => undefined, onSample: () => undefined });
    expect(() => demuxer.push(bytes)).toThrow(expect.objectContaining({ code }));
    expect(() => demuxer.push(recording())).toThrow(expect.objectContaining({ code }));
    demuxer.end();
  });

  it('is passed over in a later recording', () => {
    const bad = webmStream([hex('ae85d7')], [[0, simpleBlock(1, 0, vp8Frame(true))]]);
    const { inits, faults, samples } = demux([recording({ clusters: 1 }), bad, recording({ clusters: 1 })]);
    expect(inits.map((init) => init.recording)).toEqual([0, 2]);
    expect(faults.map(({ code }) => code)).toEqual(['EBML_SIZE']);
    expect(samples).toHaveLength(30);
  });
});

it('hands out index, tags and pointers only to those who want them', () => {
  const cues = master(ID.Cues, [
    master(ID.CuePoint, [
      uintElement(ID.CueTime, 500),
      master(ID.CueTrackPositions, [
        uintElement(ID.CueTrack, 1),
        uintElement(ID.CueClusterPosition, 4711),
        uintElement(ID.CueRelativePosition, 3),
      ]),
    ]),
  ]);
  const tags = master(ID.Tags, [
    master(ID.Tag, [
      master(ID.Targets, [uintElement(ID.TagTrackUID, 2)]),
      master(ID.SimpleTag, [textElement(ID.TagName, 'TITLE'), textElement(ID.TagString, 'ä')]),
    ]),
  ]);
  const seek = master(ID.SeekHead, [
    master(ID.Seek, [element(ID.SeekID, hex('1c53bb6b')), uintElement(ID.SeekPosition, 99)]),
  ]);
  const file = concatBytes([ebmlHeader(), master(ID.Segment, [seek, INFO, VP8_OPUS, cues, tags])]);
  const found: unknown[] = [];
  const none = (): undefined => undefined;
  const demuxer = new WebmDemuxer({
    onTrack: none,
    onSample: none,
    onCues: (all) => found.push(...all),
    onTags: (all) => found.push(...all),
    onSeekHead: (all) => found.push(...all),
  });
  demuxer.push(file);
  expect(found).toEqual([
    { id: ID.Cues, position: 99 },
    { time: 500_000_000, trackNumber: 1, clusterPosition: 4711, relativePosition: 3 },
    { name: 'TITLE', value: 'ä', trackUids: [2] },
  ]);
  expect(demux([file]).faults).toEqual([]);
});
