import { registerAacEncoder } from '@mediabunny/aac-encoder';
import { createEncoder } from 'libopus-wasm';
import { AdtsOutputFormat, AudioSample, AudioSampleSource, NullTarget, Output } from 'mediabunny';
import { BRIDGE_CHANNELS, BRIDGE_RATE } from './protocol.ts';

/** Interleaved PCM of {@link BRIDGE_RATE} and {@link BRIDGE_CHANNELS} to packets of one length. */
export interface PcmEncoder {
  /** PCM frames of one packet. */
  readonly frameSize: number;
  /** PCM frames by which the sound in a packet lies behind what the packet was made of. */
  readonly delay: number;
  /** One packet for `frameSize` frames; undefined while the encoder fills up. */
  encode(pcm: Float32Array): Promise<Uint8Array | undefined>;
  close(): void;
}

/** Bits per second: good for music. */
const OPUS_BITRATE = 96_000;
const AAC_BITRATE = 128_000;

/** An encoder of Opus, 20 ms a packet. */
export async function opusEncoder(): Promise<PcmEncoder> {
  const frameSize = BRIDGE_RATE / 50;
  const encoder = await createEncoder({
    channels: BRIDGE_CHANNELS,
    sampleRate: BRIDGE_RATE,
    bitrate: OPUS_BITRATE,
    frameSize,
    complexity: 5,
  });
  return {
    frameSize,
    delay: encoder.getLookahead(),
    encode: (pcm) => Promise.resolve(encoder.encodeFloat(pcm)),
    close: () => encoder.free(),
  };
}

/** An encoder of AAC-LC. */
export async function aacEncoder(): Promise<PcmEncoder> {
  registerAacEncoder();
  const frameSize = 1024;
  const packets: Uint8Array[] = [];
  const source = new AudioSampleSource({
    codec: 'aac',
    bitrate: AAC_BITRATE,
    onEncodedPacket: (packet) => void packets.push(packet.data),
  });
  // Packets are taken where they are made; what the file would be goes nowhere.
  const output = new Output({ format: new AdtsOutputFormat(), target: new NullTarget() });
  output.addAudioTrack(source);
  await output.start();
  let frames = 0;
  return {
    frameSize,
    delay: 1024,
    async encode(pcm) {
      const sample = new AudioSample({
        data: pcm,
        format: 'f32',
        numberOfChannels: BRIDGE_CHANNELS,
        sampleRate: BRIDGE_RATE,
        timestamp: frames / BRIDGE_RATE,
      });
      frames += frameSize;
      await source.add(sample);
      sample.close();
      return packets.shift();
    },
    close: () => void output.cancel(),
  };
}
