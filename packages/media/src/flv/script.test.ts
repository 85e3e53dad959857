import { describe, expect, it } from 'vitest';
import { AmfEcmaArray, decodeAmf0 } from '../amf/index.ts';
import { aacParameters, avcParameters, hevcParameters, opusParameters } from '../bitstream/index.ts';
import type { CodecParameters, Track } from '../model/index.ts';
import type { Timebase } from '../time/index.ts';
import { metadataTag, scriptBody } from './script.ts';
import { TagDemuxer } from './tag-demuxer.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const AVCC = '0142c00dffe100196742c00dd901419f9f0110000003001000000303c0f142a48001000568cb83cb20';
const HVCC =
  '0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959009' +
  'a10001002b42010101600000030090000003000003003ca00a080b9f796564924caf016808000003000800000300f040a20001000744' +
  '01c172b46240';

function listener(): { readonly told: unknown[]; readonly demuxer: TagDemuxer } {
  const told: unknown[] = [];
  const demuxer = new TagDemuxer({
    onTrack: () => undefined,
    onSample: () => undefined,
    onMetadata: (value) => told.push(value),
    onDataEvent: (name, values, timestampMs) => told.push([name, values, timestampMs]),
  });
  return { told, demuxer };
}

const track = (id: number, parameters: CodecParameters): Track => ({
  id,
  timebase: 90_000 as Timebase,
  parameters,
});

describe('script tags', () => {
  it('are metadata or events, with unwrapped time', () => {
    const { told, demuxer: target } = listener();
    const value = new AmfEcmaArray({ width: 320 });
    target.push({
      type: 'script',
      timestampMs: 0xffff_fff0,
      body: scriptBody('@setDataFrame', ['onMetaData', value]),
    });
    target.push({ type: 'script', timestampMs: 5, body: scriptBody('onCuePoint', ['旗 🚩', 1]) });
    target.pushData({ name: 'onTextData', values: [] }, 6);
    expect(told).toEqual([
      expect.objectContaining({ properties: expect.objectContaining({ width: 320 }) }),
      ['onCuePoint', ['旗 🚩', 1], 2 ** 32 + 5],
      ['onTextData', [], 2 ** 32 + 6],
    ]);
  });

  it('without a name are refused', () => {
    const { demuxer: target } = listener();
    for (const body of ['', '05', '02000d40736574446174614672616d65']) {
      expect(() => target.push({ type: 'script', timestampMs: 0, body: hex(body) })).toThrow(
        expect.objectContaining({ code: 'FLV_SCRIPT_NAME' }),
      );
    }
  });

  it('describe the tracks', () => {
    const tracks = [track(1, avcParameters(hex(AVCC))), track(2, aacParameters(hex('1210')))];
    const [name, value] = decodeAmf0(metadataTag(tracks).body);
    expect(name).toBe('onMetaData');
    expect({ ...(value as AmfEcmaArray).properties }).toEqual({
      width: 320,
      height: 180,
      framerate: 30,
      videocodecid: 7,
      audiocodecid: 10,
      audiosamplerate: 44_100,
      audiosamplesize: 16,
      audiochannels: 2,
      stereo: true,
      encoder: 'onair',
    });
    const enhanced = [
      track(1, hevcParameters(hex(HVCC))),
      track(2, opusParameters(hex('000201380000bb80000000'))),
    ];
    const [, other] = decodeAmf0(metadataTag(enhanced).body);
    expect((other as AmfEcmaArray).properties).toMatchObject({
      videocodecid: 0x6876_6331,
      audiocodecid: 0x4f70_7573,
    });
  });
});
