/// <reference path="./aac-library.d.ts" />
import { createRequire } from 'node:module';
import { createDecoder } from 'libopus-wasm';
import { BRIDGE_CHANNELS, BRIDGE_RATE } from './protocol.ts';
import { Resampler } from './resampler.ts';

/** Packets to interleaved PCM of {@link BRIDGE_RATE} and {@link BRIDGE_CHANNELS}. */
export interface PcmDecoder {
  /** @throws Error for a damaged packet. */
  decode(packet: Uint8Array): Float32Array;
  close(): void;
}

/** A decoder of Opus packets. */
export async function opusDecoder(): Promise<PcmDecoder> {
  const decoder = await createDecoder({ channels: BRIDGE_CHANNELS, sampleRate: BRIDGE_RATE });
  return { decode: (packet) => decoder.decodeFloat(packet), close: () => decoder.free() };
}

/** A decoder of AAC-LC; mono is doubled. @param config AudioSpecificConfig. @param sampleRate hertz. */
export function aacDecoder(config: Uint8Array, sampleRate: number, channels: number): PcmDecoder {
  const require = createRequire(import.meta.url);
  const av = require('av') as typeof import('av');
  const Decoder = require('aac') as typeof import('aac');
  const decoder = Object.create(Decoder.prototype) as InstanceType<typeof Decoder>;
  decoder.format = {};
  decoder.init();
  decoder.setCookie(new av.Buffer(config.slice()));
  const resampler =
    sampleRate === BRIDGE_RATE ? undefined : new Resampler(sampleRate, BRIDGE_RATE, BRIDGE_CHANNELS);
  return {
    decode(packet) {
      decoder.bitstream = new av.Bitstream(av.Stream.fromBuffer(new av.Buffer(packet.slice())));
      const pcm = decoder.readChunk();
      const stereo = channels === BRIDGE_CHANNELS ? pcm : doubled(pcm);
      return resampler === undefined ? stereo : resampler.push(stereo);
    },
    close: () => undefined,
  };
}

function doubled(mono: Float32Array): Float32Array {
  const stereo = new Float32Array(mono.length * 2);
  for (let i = 0; i < mono.length; i++) {
    stereo[2 * i] = mono[i]!;
    stereo[2 * i + 1] = mono[i]!;
  }
  return stereo;
}
