import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../test/kit/until.ts';
import { AudioTranscoder, MAX_WAITING, type TranscoderLine } from './audio-transcoder.ts';
import { opusEncoder } from './encoders.ts';
import { BRIDGE_CHANNELS, BRIDGE_RATE } from './protocol.ts';

const transcoder = new AudioTranscoder();
afterEach(() => transcoder.close());

const FRAME = BRIDGE_RATE / 50;
const OPUS = {
  kind: 'audio',
  codec: 'opus',
  codecString: 'opus',
  sampleRate: BRIDGE_RATE,
  channels: BRIDGE_CHANNELS,
  description: new Uint8Array(0),
} as const;

async function packet(): Promise<Uint8Array> {
  const encoder = await opusEncoder();
  const data = await encoder.encode(new Float32Array(encoder.frameSize * BRIDGE_CHANNELS));
  encoder.close();
  return data!;
}

function open(made: number[]): TranscoderLine {
  return transcoder.open('aac', OPUS, {
    packet: (time) => made.push(time),
    failed: () => made.push(Number.NaN),
  });
}

it('takes the past of a stream at once, and as much of what comes behind it as may wait', async () => {
  const data = await packet();
  const made: number[] = [];
  const line = open(made);
  const taken = Array.from({ length: 400 }, (_, i) => line.push(i * FRAME, data, i < 300));
  expect(taken).not.toContain(false);
  await until(() => line.waiting === 0, { timeoutMs: 15_000 });
  expect(transcoder.left).toBe(0);
  // One after the other, eight seconds of them: none was left out.
  expect(made.length).toBeGreaterThan((390 * FRAME) / 1024);
  expect(made.every((time, i) => i === 0 || time === made[i - 1]! + 1024)).toBe(true);
});

it('leaves out what is more than may wait', async () => {
  const data = await packet();
  const line = open([]);
  const taken = Array.from({ length: 2 * MAX_WAITING }, (_, i) => line.push(i * FRAME, data));
  expect(taken.filter(Boolean)).toHaveLength(MAX_WAITING);
  expect(transcoder.left).toBe(MAX_WAITING);
  line.close();
});
