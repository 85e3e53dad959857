import { afterEach, expect, it } from 'vitest';
import { AudioLine } from './audio-line.ts';
import { aacDecoder, opusDecoder } from './decoders.ts';
import { aacEncoder, opusEncoder, type PcmEncoder } from './encoders.ts';
import { BRIDGE_CHANNELS, BRIDGE_RATE } from './protocol.ts';
import { Resampler } from './resampler.ts';

const AAC_CONFIG = Uint8Array.of(0x11, 0x90);
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Packet {
  readonly time: number;
  readonly data: Uint8Array;
}

/** Silence with a tone of 50 ms from each of `starts` (frames) on. */
function tones(frames: number, starts: readonly number[]): Float32Array {
  const pcm = new Float32Array(frames * BRIDGE_CHANNELS);
  for (const start of starts) {
    for (let i = 0; i < BRIDGE_RATE / 20; i++) {
      const value = 0.5 * Math.sin((2 * Math.PI * 1000 * i) / BRIDGE_RATE);
      pcm[2 * (start + i)] = value;
      pcm[2 * (start + i) + 1] = value;
    }
  }
  return pcm;
}

async function encodeAll(encoder: PcmEncoder, pcm: Float32Array): Promise<Packet[]> {
  const packets: Packet[] = [];
  const size = encoder.frameSize * BRIDGE_CHANNELS;
  const times: number[] = [];
  for (let at = 0; at + size <= pcm.length; at += size) {
    times.push(at / BRIDGE_CHANNELS - encoder.delay);
    const data = await encoder.encode(pcm.slice(at, at + size));
    if (data !== undefined) packets.push({ time: times.shift()!, data });
  }
  encoder.close();
  return packets;
}

async function through(line: AudioLine, packets: readonly Packet[]): Promise<Packet[]> {
  const made: Packet[] = [];
  for (const { time, data } of packets) made.push(...(await line.push(time, data)));
  line.close();
  return made;
}

/** Where loud stretches begin, in frames of the packets' own time. */
function onsets(packets: readonly Packet[], decode: (data: Uint8Array) => Float32Array): number[] {
  const found: number[] = [];
  let quiet = BRIDGE_RATE;
  for (const { time, data } of packets) {
    const pcm = decode(data);
    for (let i = 0; i < pcm.length; i += BRIDGE_CHANNELS) {
      if (Math.abs(pcm[i]!) < 0.1) quiet++;
      else {
        if (quiet > BRIDGE_RATE / 20) found.push(time + i / BRIDGE_CHANNELS);
        quiet = 0;
      }
    }
  }
  return found;
}

it('keeps sound in its place on the way from Opus to AAC and back', async () => {
  const starts = [20_000, 44_100, 70_000];
  const opus = await encodeAll(await opusEncoder(), tones(2 * BRIDGE_RATE, starts));
  const aac = await through(new AudioLine(await opusDecoder(), await aacEncoder()), opus);
  expect(aac.length).toBeGreaterThan(85);
  for (let i = 1; i < aac.length; i++) expect(aac[i]!.time - aac[i - 1]!.time).toBe(1024);
  const again = await through(new AudioLine(aacDecoder(AAC_CONFIG, 48_000, 2), await opusEncoder()), aac);
  const decoder = await opusDecoder();
  open.push(() => decoder.close());
  const heard = onsets(again, (data) => decoder.decode(data));
  expect(heard).toHaveLength(starts.length);
  // 20 ms is where people begin to notice.
  heard.forEach((at, i) => {
    expect(Math.abs(at - starts[i]!)).toBeLessThan(0.01 * BRIDGE_RATE);
  });
}, 20_000);

it('makes a hole silence, and leaves damaged packets out', async () => {
  const opus = await encodeAll(await opusEncoder(), tones(BRIDGE_RATE, []));
  const line = new AudioLine(await opusDecoder(), await opusEncoder());
  const lost = opus
    .filter((_, i) => i % 10 !== 4)
    .map((one, i) => (i === 20 ? { ...one, data: new Uint8Array(0) } : one));
  const made = await through(line, lost);
  for (let i = 1; i < made.length; i++) expect(made[i]!.time - made[i - 1]!.time).toBe(960);
  expect(made.length).toBeGreaterThan(45);
});

it('goes on behind a long hole with the new time', async () => {
  const opus = await encodeAll(await opusEncoder(), tones(BRIDGE_RATE / 2, []));
  const later = opus.map(({ time, data }) => ({ time: time + 10 * BRIDGE_RATE, data }));
  const made = await through(new AudioLine(await opusDecoder(), await opusEncoder()), [...opus, ...later]);
  expect(made.length).toBeLessThan(60);
  expect(made.at(-1)!.time).toBeGreaterThan(10 * BRIDGE_RATE);
});

it('changes the rate without changing the tone, in pieces of any size', () => {
  for (const from of [44_100, 32_000, 96_000]) {
    const resampler = new Resampler(from, BRIDGE_RATE, 1);
    const out: number[] = [];
    for (let at = 0, size = 1; at < from; at += size, size = (size * 7) % 1000) {
      const piece = Float32Array.from({ length: size }, (_, i) =>
        Math.sin((2 * Math.PI * 440 * (at + i)) / from),
      );
      out.push(...resampler.push(piece));
    }
    expect(Math.abs(out.length - BRIDGE_RATE)).toBeLessThan(1500);
    let worst = 0;
    for (let i = 200; i < 40_000; i++) {
      worst = Math.max(worst, Math.abs(out[i]! - Math.sin((2 * Math.PI * 440 * i) / BRIDGE_RATE)));
    }
    expect(worst, `${from} Hz`).toBeLessThan(0.01);
  }
});
