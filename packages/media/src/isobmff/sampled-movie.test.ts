import { describe, expect, it } from 'vitest';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { readBoxes, requireBox } from './box.ts';
import { parseInit } from './parse-init.ts';
import { type MovieSample, movieHeader } from './sampled-movie.ts';

describe('movieHeader', () => {
  it('ends in an mdat that the samples are counted from, and has what players seek by', () => {
    const video = videoTrack();
    const audio = audioTrack();
    let at = 8;
    const samples = programme(video, audio, 2).map((sample): MovieSample & { id: number } => {
      const { dts, pts, keyframe, data, track } = sample;
      const placed = { dts, pts, keyframe, size: data.length, offset: at, description: 0, id: track.id };
      at += data.length;
      return placed;
    });
    const of = (id: number): MovieSample[] => samples.filter((sample) => sample.id === id);
    const header = movieHeader(
      [
        { id: 1, parameters: [video], samples: of(1), lastDuration: 3600 },
        { id: 2, parameters: [audio], samples: of(2), lastDuration: 1024 },
      ],
      at,
    );
    const file = new Uint8Array(header.length + at);
    file.set(header);
    const top = readBoxes(file);
    expect(top.map(({ type, size }) => `${type} ${size}`)).toEqual([
      `ftyp ${top[0]!.size}`,
      `moov ${top[1]!.size}`,
      `mdat ${at + 16}`,
    ]);
    expect(parseInit(header.subarray(0, -16)).tracks.map(({ trackId }) => trackId)).toEqual([1, 2]);
    const moov = readBoxes(top[1]!.body);
    const view = (body: Uint8Array): DataView => new DataView(body.buffer, body.byteOffset, body.length);
    expect(view(requireBox(moov, 'mvhd', '').body).getUint32(16)).toBeGreaterThanOrEqual(2000);
    const trak = readBoxes(requireBox(moov, 'trak', '').body);
    const minf = readBoxes(requireBox(readBoxes(requireBox(trak, 'mdia', '').body), 'minf', '').body);
    const stbl = readBoxes(requireBox(minf, 'stbl', '').body);
    const stco = view(requireBox(stbl, 'stco', '').body);
    expect(stco.getUint32(8)).toBe(header.length + of(1)[0]!.offset);
    expect(view(requireBox(stbl, 'stsz', '').body).getUint32(8)).toBe(of(1).length);
    expect(view(requireBox(stbl, 'stss', '').body).getUint32(4)).toBe(
      of(1).filter(({ keyframe }) => keyframe).length,
    );
  });
});
