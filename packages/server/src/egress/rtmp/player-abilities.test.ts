import type { Track } from '@onair/media';
import type { ConnectRequest } from '@onair/media/rtmp';
import { expect, it } from 'vitest';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';
import { lackOf, takesExactTimes, takesMultitrack } from './player-abilities.ts';
import { rtmpEnvelope } from './rtmp-envelope.ts';

const asked = (fourCcList: readonly string[] | undefined, capsEx = 0): ConnectRequest =>
  ({ fourCcList, capsEx }) as unknown as ConnectRequest;
const hevc: Track = videoTrack({ ...videoParameters(), codec: 'hevc', codecString: 'hvc1.1.6.L60.90' });
const opus: Track = audioTrack({ ...audioParameters(), codec: 'opus', codecString: 'opus' });

it.each<[string, Track[], readonly string[] | undefined, string | undefined]>([
  ['old codecs', [videoTrack(), audioTrack()], undefined, undefined],
  ['old codecs, though it lists others', [videoTrack(), audioTrack()], ['hvc1'], undefined],
  ['HEVC by the list', [hevc, audioTrack()], ['av01', 'hvc1'], undefined],
  ['HEVC by the star', [hevc, opus], ['*'], undefined],
  ['HEVC without a list', [hevc, audioTrack()], undefined, 'hvc1'],
  ['HEVC without it in the list', [hevc, audioTrack()], ['av01'], 'hvc1'],
  ['Opus without a list', [videoTrack(), opus], undefined, 'Opus'],
  ['Opus beside a list of pictures', [videoTrack(), opus], ['av01'], undefined],
  ['nothing yet', [], undefined, undefined],
])('%s', (_, tracks, list, lack) => {
  const told = lackOf(asked(list), tracks, false);
  if (lack === undefined) expect(told).toBeUndefined();
  else expect(told).toContain(lack);
  if (list === undefined) expect(lackOf(asked(list), tracks, true)).toBeUndefined();
});

it('asks capsEx for multitrack', () => {
  expect([0, 1, 2, 15].map((caps) => takesMultitrack(asked(['*'], caps)))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

it('sets up every track for players of multitrack, and the first of each kind for others', () => {
  const second: Track = { ...audioTrack(), id: 4 };
  const config = Uint8Array.of(5, 0, 0, 40, 0, 0, 1, 18, 1, 0, 0, 0, 0);
  const epoch = { number: 1, tracks: [videoTrack(), audioTrack(), second], config };
  expect(rtmpEnvelope(1).config(epoch)).toBe(config);
  const all = rtmpEnvelope(1, true).config(epoch);
  expect(all.subarray(0, config.length)).toEqual(config);
  const more = all.subarray(config.length);
  expect([...more.subarray(1, 4)]).toEqual([0, 0, 40]); // the time of the others
  expect(more[7]).toBe(8);
  expect([...more.subarray(12, 20)]).toEqual([0x95, 0, ...Buffer.from('mp4a'), 1, ...firstByte(second)]);
  const elsewhere = rtmpEnvelope(3, true).config({
    ...epoch,
    config: Uint8Array.of(5, 0, 0, 40, 0, 0, 1, 18, 1, 0, 0, 0, 0),
  });
  expect(elsewhere[8]).toBe(3);
});

/** First byte of the decoder's configuration. */
function firstByte({ parameters }: Track): number[] {
  return parameters.kind === 'audio' ? [parameters.description[0]!] : [];
}

it('gives exact times to players that know ModEx and nanosecond offsets, of pictures whose header has them', () => {
  const given = (caps: number, video: Track) => takesExactTimes(asked(['*'], caps), [audioTrack(), video]);
  expect([given(15, hevc), given(12, hevc), given(8, hevc), given(4, hevc), given(15, videoTrack())]).toEqual(
    [true, true, false, false, false],
  );
  expect(takesExactTimes(asked(['*'], 15), [opus])).toBe(false);
});
