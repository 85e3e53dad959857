import { expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import { videoRange } from '../model/index.ts';
import { av1Parameters, buildAv1Config } from './av1.ts';
import { colourOf } from './colour.ts';
import { avcParameters, buildAvcConfig } from './h264-config.ts';
import { buildHevcConfig, hevcParameters } from './hevc.ts';

/** Sets of x264 and x265 for pictures of BT.2020 with this transfer function. */
const h264 = (transfer: string) =>
  avcParameters(
    buildAvcConfig([hex(`6742c00ada082fe5c05a84${transfer}04a0000003002000000641e244d4`)], [hex('68ce0fc8')]),
  );
const hevc = (transfer: string) =>
  hevcParameters(
    buildHevcConfig(
      [hex('40010c01ffff02200000030090000003000003001e959809')],
      [
        hex(
          `42010102200000030090000003000003001ea0102049365959a4932bc05a84${transfer}04820000030002000003003210`,
        ),
      ],
      [hex('4401c172b42240')],
    ),
  );

it.each([
  ['88', 16, 'PQ'],
  ['89', 18, 'HLG'],
  ['87', 14, undefined],
] as const)('reads the colour of parameter sets (%s)', (written, transfer, range) => {
  for (const parameters of [h264(written), hevc(written)]) {
    const colour = colourOf(parameters);
    expect(colour, parameters.codec).toEqual({ primaries: 9, transfer, matrix: 9, fullRange: false });
    expect(videoRange(colour)).toBe(range);
    expect(parameters.frameRate).toBe(25);
  }
});

it('reads the colour of AV1 and of records of VP9', () => {
  const av1 = av1Parameters(buildAv1Config(hex('0a0d0000000337f8e6d7ca84880482'))!);
  expect(colourOf(av1)).toEqual({ primaries: 9, transfer: 16, matrix: 9, fullRange: false });
  const vp9 = { ...av1, codec: 'vp9' as const, description: hex('000b830912090000') };
  expect(colourOf(vp9)).toEqual({ primaries: 9, transfer: 18, matrix: 9, fullRange: true });
});

it('believes the publisher first, and knows nothing of what cannot be read', () => {
  const told = { primaries: 1, transfer: 1, matrix: 1, fullRange: true };
  expect(colourOf({ ...hevc('88'), colour: told })).toBe(told);
  expect(colourOf({ ...hevc('88'), description: hex('01') })).toBeUndefined();
  expect(colourOf({ ...h264('88'), codec: 'vp8' })).toBeUndefined();
});
