import { ParseError, type Sample, type Track } from '@onair/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brief, recording } from '../../../../../test/kit/webm-files.ts';
import { type SourceEnd, UploadIntake } from './upload-intake.ts';

function take(pieces: readonly Uint8Array[], known?: SourceEnd) {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const intake = new UploadIntake(
    {
      onKinds: () => undefined,
      onTrack: (track) => tracks.push(track),
      onSample: (sample) => samples.push(sample),
      onFault: () => undefined,
    },
    known,
  );
  for (const piece of pieces) intake.push(piece);
  intake.end();
  return { tracks, samples };
}

const file = recording();
const whole = take([file]);
const pictures = (samples: readonly Sample[]): Sample[] =>
  samples.filter(({ track }) => track.parameters.kind === 'video');

describe('UploadIntake', () => {
  it('gives the same samples however the bytes are cut', () => {
    const expected = whole.samples.map(brief);
    expect(expected.length).toBeGreaterThan(50);
    expect(take([...file].map((byte) => Uint8Array.of(byte))).samples.map(brief)).toEqual(expected);
    for (let cut = 1; cut < file.length; cut += 7) {
      const { samples } = take([file.subarray(0, cut), file.subarray(cut)]);
      expect(samples.map(brief)).toEqual(expected);
    }
  });

  it('joins complete recordings on one timeline, with the tracks they began with', () => {
    const { tracks, samples } = take([file, file, file]);
    expect(tracks).toHaveLength(whole.tracks.length);
    expect(samples).toHaveLength(3 * whole.samples.length);
    const times = pictures(samples).map(({ dts }) => dts);
    for (const [i, time] of times.entries()) {
      if (i > 0) expect(time - times[i - 1]!).toBe(3600);
    }
  });

  it('passes over what a recording has already, up to the key frame it was cut at', () => {
    const { samples } = take([file, file], { video: 600_000, audio: 580_000 });
    const [first] = pictures(samples);
    expect([first!.dts, first!.keyframe]).toEqual([54_000, true]);
    const sound = samples.find(({ track }) => track.parameters.kind === 'audio')!;
    expect(sound.dts).toBe(Math.round(0.58 * 48_000));
  });

  it('throws nothing but a ParseError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 100 }), (bytes) => {
        try {
          take([bytes]);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }),
    );
  });
});
