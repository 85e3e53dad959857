import { expect, it } from 'vitest';
import type { Quality } from '../sources/source.ts';
import { qualityName } from './quality-group.ts';

const quality = (id: number, height: number, bitrate: number): Quality => ({
  id,
  width: (height * 16) / 9,
  height,
  bitrate,
});

it('qualities are named by their height, by the rate where there is none, by both where heights are equal', () => {
  const all = [
    quality(0, 1080, 6e6),
    quality(1, 720, 2_500_000),
    quality(2, 720, 1_200_000),
    quality(3, 0, 64_000),
  ];
  expect(all.map((one) => qualityName(one, all))).toEqual([
    '1080p',
    '720p · 2.50 Mbit/s',
    '720p · 1.20 Mbit/s',
    '64 kbit/s',
  ]);
});
