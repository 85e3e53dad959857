import type { Sample, Track } from '@onair/media';
import { configTag, encodeFlvTag, encodeSampleAsFlvTag, flvFileHeader } from '@onair/media/flv';
import { parseChunks, parseInit } from '@onair/media/isobmff';
import { describe, expect, it } from 'vitest';
import { audioTrack, programme, videoParameters, videoTrack } from '../../../../test/kit/samples.ts';
import type { EngineChunk, EngineTrack } from '../engine/index.ts';
import { FlvTransmuxer } from './flv-transmuxer.ts';

/** avcC that x264 wrote for 640x360, constrained baseline, level 3. */
const AVCC = '0142c01effe100196742c01eda0280bfe5c044000003000400000300f03c58ba8001000468ce0fc8';
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));

const VIDEO = videoTrack({ ...videoParameters(), description: bytesOf(AVCC) });
const AUDIO = audioTrack();

function flv(
  samples: readonly Sample[],
  tracks: readonly Track[],
  has: { audio: boolean; video: boolean },
): Uint8Array {
  const parts = [flvFileHeader(has)];
  for (const track of tracks) parts.push(encodeFlvTag({ ...configTag(track)!, timestampMs: 0 }));
  for (const sample of samples) parts.push(encodeSampleAsFlvTag(sample));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function transmux(bytes: Uint8Array, size = bytes.length) {
  const tracks: (readonly EngineTrack[])[] = [];
  const inits = new Map<number, Uint8Array>();
  const chunks: EngineChunk[] = [];
  const transmuxer = new FlvTransmuxer({
    tracks: (list) => tracks.push(list),
    init: (track, init) => inits.set(track, init),
    chunk: (chunk) => chunks.push(chunk),
    event: () => {},
  });
  for (let at = 0; at < bytes.length; at += size) transmuxer.push(bytes.slice(at, at + size));
  return { tracks, inits, chunks, transmuxer };
}

describe('FLV to CMAF', () => {
  const both = flv(programme(VIDEO, AUDIO, 2), [VIDEO, AUDIO], { audio: true, video: true });

  it('announces both tracks once, then gives one chunk per access unit', () => {
    const { tracks, inits, chunks } = transmux(both);
    expect(tracks).toHaveLength(1);
    expect(tracks[0]!.map(({ id, mime }) => [id, mime])).toEqual([
      [1, 'video/mp4; codecs="avc1.42c01e"'],
      [2, 'audio/mp4; codecs="mp4a.40.2"'],
    ]);
    expect(parseInit(inits.get(1)!).tracks[0]).toMatchObject({ kind: 'video', timebase: 90_000 });
    expect(parseInit(inits.get(2)!).tracks[0]).toMatchObject({ kind: 'audio' });
    const video = chunks.filter((chunk) => chunk.track === 1);
    expect(video).toHaveLength(50);
    expect(video.map((chunk) => chunk.entry).filter(Boolean)).toHaveLength(2);
    video.forEach((chunk, i) => {
      expect(chunk.start).toBeCloseTo(i * 0.04, 3);
      const [sample] = parseChunks(chunk.bytes)[0]!.tracks[0]!.samples;
      expect(sample!.dts / 90_000).toBeCloseTo(i * 0.04, 3);
      expect(sample!.keyframe).toBe(i % 25 === 0);
    });
    expect(video.at(-1)!.duration).toBeCloseTo(0.04, 3);
    const audio = chunks.filter((chunk) => chunk.track === 2);
    expect(audio.length).toBeGreaterThan(90);
    expect(audio[10]!.duration).toBeCloseTo(1024 / 48_000, 3);
  });

  it.each([1, 3, 100, 1000])('gives the same from pieces of %d bytes', (size) => {
    const whole = transmux(both);
    const pieces = transmux(both, size);
    expect(pieces.chunks.length).toBe(whole.chunks.length);
    expect(pieces.chunks.at(-1)).toEqual(whole.chunks.at(-1));
  });

  it('plays picture alone, promised or not', () => {
    const samples = programme(VIDEO, undefined, 3);
    const honest = transmux(flv(samples, [VIDEO], { audio: false, video: true }));
    expect(honest.chunks).toHaveLength(75);
    const lying = transmux(flv(samples, [VIDEO], { audio: true, video: true }));
    expect(lying.tracks).toHaveLength(1);
    expect(lying.chunks).toHaveLength(75);
  });

  it('announces anew when parameters change', () => {
    const other = videoTrack({
      ...videoParameters(),
      description: bytesOf(AVCC.replace('42c01e', '42c01f')),
    });
    const bytes = flv(programme(VIDEO, AUDIO, 1), [VIDEO, AUDIO], { audio: true, video: true });
    const change = [encodeFlvTag({ ...configTag(other)!, timestampMs: 1000 })];
    for (const sample of programme(other, AUDIO, 1, 25, 1000)) change.push(encodeSampleAsFlvTag(sample));
    const { tracks, chunks } = transmux(Uint8Array.from([...bytes, ...change.flatMap((part) => [...part])]));
    expect(tracks).toHaveLength(2);
    expect(chunks.filter((chunk) => chunk.track === 1)).toHaveLength(50);
  });

  it('leaves out malformed tags and goes on', () => {
    const bad = encodeFlvTag({ type: 'video', timestampMs: 5, body: Uint8Array.of(0x17, 0) });
    const { chunks, transmuxer } = transmux(
      Uint8Array.from([...both, ...bad, ...encodeSampleAsFlvTag(programme(VIDEO, undefined, 3).at(-1)!)]),
    );
    expect(transmuxer.malformed).toBe(1);
    expect(chunks.filter((chunk) => chunk.track === 1)).toHaveLength(51);
  });

  it('refuses what is no FLV', () => {
    expect(() => transmux(new TextEncoder().encode('<!doctype html>'))).toThrow(/FLV/);
  });
});
