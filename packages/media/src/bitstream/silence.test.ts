import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioParameters } from '../model/codec.ts';
import { aacParameters, writeAacConfig } from './aac.ts';
import { BitReader } from './bit-reader.ts';
import { parseMp3Header } from './mp3.ts';
import { opusPacketFrames, opusParameters, writeOpusConfig } from './opus.ts';
import { audioFrames } from './parameters.ts';
import { silentUnit } from './silence.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const toHex = (bytes: Uint8Array | undefined): string =>
  [...(bytes ?? [])].map((byte) => byte.toString(16).padStart(2, '0')).join('');

const opus = (channels: number, mapping = new Uint8Array(0)): AudioParameters =>
  opusParameters(
    writeOpusConfig({
      channels,
      preSkip: 312,
      inputSampleRate: 48_000,
      outputGain: 0,
      mappingFamily: mapping.length === 0 ? 0 : 1,
      mapping,
    }),
  );
const mp3 = (sampleRate: number, channels: number): AudioParameters => ({
  kind: 'audio',
  codec: 'mp3',
  description: new Uint8Array(0),
  codecString: 'mp3',
  sampleRate,
  channels,
});

describe('silentUnit', () => {
  it('of AAC holds the elements of its channels and nothing in them', () => {
    expect(toHex(silentUnit(aacParameters(hex('1208')))?.data)).toBe('00000007');
    expect(toHex(silentUnit(aacParameters(hex('1210')))?.data)).toBe('21000000001c');
    for (const [configuration, elements] of [
      [1, [0]],
      [2, [1]],
      [3, [0, 1]],
      [4, [0, 1, 0]],
      [5, [0, 1, 1]],
      [6, [0, 1, 1, 3]],
      [7, [0, 1, 1, 1, 3]],
    ] as const) {
      const config = writeAacConfig({
        objectType: 2,
        sampleRate: 48_000,
        channelConfiguration: configuration,
      });
      const unit = silentUnit(aacParameters(config))!;
      expect(unit.frames).toBe(1024);
      expect(elementsOf(unit.data)).toEqual(elements);
    }
  });

  it.each([
    ['HE-AAC, hierarchical', '2b920800', 2048, 6],
    ['HE-AAC, compatible', '139056e5a0', 2048, 6],
    ['HE-AAC v2: the core has one channel', 'eb8a0800', 2048, 4],
    ['AAC-LC of 960 frames', '1214', 960, 6],
  ])('of %s lasts as long as a unit of it', (_, config, frames, bytes) => {
    const unit = silentUnit(aacParameters(hex(config)))!;
    expect(unit.frames).toBe(frames);
    expect(unit.data).toHaveLength(bytes);
  });

  it('of Opus is a packet of 20 ms', () => {
    for (const [parameters, packet] of [
      [opus(1), 'f8fffe'],
      [opus(2), 'fcfffe'],
      [opus(2, Uint8Array.of(1, 1, 0, 1)), 'fcfffe'],
    ] as const) {
      const { data, frames } = silentUnit(parameters)!;
      expect(toHex(data)).toBe(packet);
      expect(frames).toBe(opusPacketFrames(data));
    }
    expect(silentUnit(opus(6, Uint8Array.of(4, 2, 0, 4, 1, 2, 3, 5)))).toBeUndefined();
  });

  it('of MP3 is a whole frame of its rate and channels', () => {
    for (const rate of [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]) {
      for (const channels of [1, 2]) {
        const { data, frames } = silentUnit(mp3(rate, channels))!;
        const header = parseMp3Header(data);
        expect(header).toEqual({ sampleRate: rate, channels, frameSize: frames, bytes: data.length });
        const side = frames === 1152 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
        expect(data.length).toBeGreaterThanOrEqual(4 + side);
      }
    }
    expect(silentUnit(mp3(96_000, 2))).toBeUndefined();
  });

  it('is not there for other codecs and object types', () => {
    const other = { ...mp3(48_000, 2), description: new Uint8Array(0) };
    for (const codec of ['flac', 'ac3', 'eac3'] as const)
      expect(silentUnit({ ...other, codec })).toBeUndefined();
    // AAC-ELD, ER AAC-LC, and channels that a program config element describes.
    for (const config of ['f8f02000', '8a1000', 'f9502800'])
      expect(silentUnit({ ...other, codec: 'aac', description: hex(config) })).toBeUndefined();
    expect(
      silentUnit({ ...other, codec: 'aac', description: hex('120004c84000000000000000') }),
    ).toBeUndefined();
  });

  it('takes any description', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('aac', 'opus', 'mp3', 'flac') as fc.Arbitrary<AudioParameters['codec']>,
        fc.uint8Array({ maxLength: 24 }),
        fc.integer({ min: 0, max: 400_000 }),
        (codec, description, sampleRate) => {
          const parameters = { ...mp3(sampleRate, 2), codec, description };
          const unit = silentUnit(parameters);
          if (unit === undefined) return;
          expect(unit.frames).toBe(audioFrames(parameters, unit.data));
          expect(unit.data.length).toBeLessThanOrEqual(1152);
        },
      ),
    );
  });
});

/** Kinds of the elements in a raw_data_block without spectrum, each with the tag of its turn. */
function elementsOf(unit: Uint8Array): number[] {
  const bits = new BitReader(unit, 'raw_data_block');
  const found: number[] = [];
  const tags = new Map<number, number>();
  for (let element = bits.u(3); element !== 7; element = bits.u(3)) {
    found.push(element);
    const turn = tags.get(element) ?? 0;
    expect(bits.u(4)).toBe(turn);
    tags.set(element, turn + 1);
    const pair = element === 1;
    expect(bits.u(pair ? 1 : 0)).toBe(pair ? 1 : 0);
    bits.skip(pair ? 11 + 2 + 2 * 11 : 8 + 11 + 3);
  }
  expect(bits.remaining).toBeLessThan(8);
  return found;
}
