import { streamName } from '@onair/media';
import { expect, it } from 'vitest';
import { DEFAULT_HLS_OPTIONS } from './options.ts';
import { type HlsSettings, optionsFor, streamOptions } from './stream-options.ts';

const CAMERA = streamName('live', 'camera-7');

it.each([
  ['live/camera-7', true],
  ['live/*', true],
  ['*/*', true],
  ['live/camera*', true],
  ['live/*-7', true],
  ['live/c*a*7', true],
  ['l*e/c*m*r*', true],
  ['live/camera-7*', true],
  ['live/camera', false],
  ['live/amera*', false],
  ['live/*camera', false],
  ['live/camera-7*7', false],
  ['li/*', false],
  ['*/c*x*7', false],
])('%s fits live/camera-7: %s', (match, fits) => {
  const options = optionsFor(CAMERA, DEFAULT_HLS_OPTIONS, [{ match, partMs: 200 }]);
  expect(options).toEqual(fits ? { ...DEFAULT_HLS_OPTIONS, partMs: 200 } : DEFAULT_HLS_OPTIONS);
});

it('takes the first rule that fits, and what it leaves out from the common ones', () => {
  const rules = [
    { match: 'other/*', partMs: 100 },
    { match: 'live/*', segmentMs: 4000 },
    { match: 'live/camera-7', segmentMs: 1000 },
  ];
  expect(optionsFor(CAMERA, DEFAULT_HLS_OPTIONS, rules)).toEqual({ ...DEFAULT_HLS_OPTIONS, segmentMs: 4000 });
});

it('is worked out once per stream, until the settings change', () => {
  const rules = [{ match: 'live/camera-*', partMs: 200 }];
  let settings: HlsSettings = { ...DEFAULT_HLS_OPTIONS, streams: rules };
  const options = streamOptions(() => settings);
  const first = options(CAMERA);
  expect(first).toEqual({ ...DEFAULT_HLS_OPTIONS, partMs: 200 });
  expect(options(streamName('live', 'other'))).toEqual(DEFAULT_HLS_OPTIONS);
  expect(options(CAMERA)).toBe(first);
  settings = { ...settings, maxWaiters: 3 };
  expect(options(CAMERA)).toEqual({ ...first, maxWaiters: 3 });
  for (let i = 0; i < 3000; i++)
    expect(options(streamName('live', `s${i}`))).toEqual({ ...DEFAULT_HLS_OPTIONS, maxWaiters: 3 });
  expect(options(CAMERA)).toEqual({ ...first, maxWaiters: 3 });
});
