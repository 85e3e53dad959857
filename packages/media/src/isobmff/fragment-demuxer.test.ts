import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { avcParameters, buildAvcConfig } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { chunk } from './chunk.ts';
import { FragmentDemuxer } from './fragment-demuxer.ts';
import { progressiveHeader } from './init.ts';

const SPS = hex('6742c00dd901419f9f0110000003001000000303c0f142a480');
const video = videoTrack(avcParameters(buildAvcConfig([SPS], [hex('68cb83cb20')])));
const audio = audioTrack();

/** A recording of a second: a header, then fragments of each track. */
function recording(): Uint8Array {
  const parts: Uint8Array[] = [progressiveHeader([video, audio])];
  let sequence = 0;
  for (const sample of programme(video, audio, 1)) {
    parts.push(
      chunk({
        track: sample.track,
        sequence: ++sequence,
        baseDecodeTime: sample.dts,
        samples: [sample],
        durations: [sample.track === video ? 3600 : 1024],
      }),
    );
  }
  return concatBytes(parts);
}

function demux(pieces: readonly Uint8Array[]) {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const inits: number[] = [];
  const faults: ParseError[] = [];
  const demuxer = new FragmentDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: (sample) => samples.push(sample),
    onInit: (init) => inits.push(init),
    onFault: (fault) => faults.push(fault),
  });
  for (const piece of pieces) demuxer.push(piece);
  demuxer.end();
  return { tracks, samples, inits, faults, demuxer };
}

const brief = ({ track, dts, pts, keyframe, data }: Sample): string =>
  `${track.id} ${dts} ${pts} ${keyframe} ${data.length}`;
const file = recording();
const whole = demux([file]);

describe('FragmentDemuxer', () => {
  it('gives back what was written', () => {
    expect(whole.faults).toEqual([]);
    expect(whole.inits).toEqual([0]);
    expect(whole.tracks.map(({ parameters }) => parameters.codec)).toEqual(['h264', 'aac']);
    expect(whole.samples.map(brief)).toEqual(programme(video, audio, 1).map(brief));
  });

  it('gives the same however the file is cut', () => {
    const expected = whole.samples.map(brief);
    const bytes = [...file].map((byte) => Uint8Array.of(byte));
    expect(demux(bytes).samples.map(brief)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: file.length }), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), file.length];
        const pieces = at.slice(1).map((end, i) => file.subarray(at[i], end));
        expect(demux(pieces).samples.map(brief)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('begins anew with a second file, and goes on with a whole box after a loss', () => {
    const twice = demux([file, file]);
    expect(twice.inits).toEqual([0, 1]);
    expect(twice.samples).toHaveLength(2 * whole.samples.length);
    const samples: Sample[] = [];
    const demuxer = new FragmentDemuxer({ onTrack: () => {}, onSample: (sample) => samples.push(sample) });
    demuxer.push(file.subarray(0, -10));
    demuxer.lost();
    demuxer.push(file);
    expect(samples).toHaveLength(2 * whole.samples.length - 1);
  });

  it.each([
    ['a size smaller than its header', Uint8Array.of(0, 0, 0, 4, 0x66, 0x74, 0x79, 0x70), 'MP4_BOX_SIZE'],
    ['a size of 0', Uint8Array.of(0, 0, 0, 0, 0x6d, 0x64, 0x61, 0x74), 'MP4_BOX_SIZE'],
    [
      'a size of 2^63',
      Uint8Array.of(0, 0, 0, 1, 0x6d, 0x64, 0x61, 0x74, 128, 0, 0, 0, 0, 0, 0, 0),
      'MP4_BOX_SIZE',
    ],
    ['a moof before any moov', file.subarray(progressiveHeader([video, audio]).length), 'MP4_BOX_MISSING'],
  ])('refuses %s, and each further call the same', (_, bytes, code) => {
    const demuxer = new FragmentDemuxer({ onTrack: () => {}, onSample: () => {} });
    expect(() => demuxer.push(bytes)).toThrow(expect.objectContaining({ code }));
    expect(() => demuxer.push(file)).toThrow(expect.objectContaining({ code }));
  });

  it('never throws anything but a ParseError, whatever bytes are changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, (list) => {
        const copy = file.slice();
        for (const [at, value] of list) copy[at] = value;
        try {
          demux([copy]);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
