import { describe, expect, it } from 'vitest';
import { hex } from '../../../../test/kit/mp4-tracks.ts';
import {
  demux,
  opusHead,
  opusPacket,
  simpleBlock,
  trackEntry,
  webmStream,
} from '../../../../test/kit/webm-files.ts';
import { joinAnnexB, parseAvcConfig } from '../bitstream/index.ts';
import { concatBytes } from '../bytes/index.ts';
import { ID } from './element-id.ts';
import { element, floatElement, master, uintElement } from './element-writer.ts';

const opusEntry = (number: number, ...more: readonly Uint8Array[]): Uint8Array =>
  trackEntry(number, 2, 'A_OPUS', element(ID.CodecPrivate, opusHead(312)), ...more);

describe('codecs', () => {
  /** x264 at 1080i with one reordered picture. */
  const AVCC = hex(
    '01640029ffe1002767640029ace401e0113f7ff800180020800001f4800075303350007a12000f427231807c58b44801000568fbacb22cfdf8f800',
  );
  const idr = hex('6588840aff');
  const slice = hex('419a24');
  const lengthPrefixed = (nal: Uint8Array): Uint8Array =>
    concatBytes([Uint8Array.of(0, 0, 0, nal.length), nal]);

  it('H.264 with its record', () => {
    const { tracks, samples } = demux([
      webmStream(
        [trackEntry(1, 1, 'V_MPEG4/ISO/AVC', element(ID.CodecPrivate, AVCC))],
        [
          [
            0,
            simpleBlock(1, 0, lengthPrefixed(idr)),
            simpleBlock(1, 80, lengthPrefixed(slice)),
            simpleBlock(1, 40, lengthPrefixed(slice)),
            simpleBlock(1, 120, lengthPrefixed(slice)),
          ],
        ],
      ),
    ]);
    expect(tracks[0]!.parameters).toMatchObject({
      codec: 'h264',
      codecString: 'avc1.640029',
      width: 1920,
      height: 1080,
    });
    expect(samples.map(({ pts }) => pts)).toEqual([0, 7200, 3600, 10_800]);
    expect(samples.every(({ dts, pts }, i) => dts <= pts && (i === 0 || dts > samples[i - 1]!.dts))).toBe(
      true,
    );
    expect(samples[0]!.keyframe).toBe(true);
  });

  it('H.264 as byte stream without a record', () => {
    const { sps, pps } = parseAvcConfig(AVCC);
    const { tracks, samples, demuxer } = demux([
      webmStream(
        [trackEntry(1, 1, 'V_MPEG4/ISO/AVC')],
        [
          [
            0,
            simpleBlock(1, 0, joinAnnexB([slice])),
            simpleBlock(1, 20, joinAnnexB([...sps, ...pps, idr])),
            simpleBlock(1, 40, joinAnnexB([slice])),
          ],
        ],
      ),
    ]);
    expect(tracks.map(({ parameters }) => parameters)).toMatchObject([
      { codecString: 'avc1.640029', width: 1920 },
    ]);
    expect(samples.at(-1)?.data).toEqual(lengthPrefixed(slice));
    expect(samples).toHaveLength(2);
    expect(demuxer.dropped).toBe(1);
  });

  it.each([
    ['A_AAC', '1190', 'mp4a.40.2', 1024],
    ['A_AAC/MPEG4/LC', '', 'mp4a.40.2', 1024],
  ])('%s', (codecId, config, codecString, length) => {
    const fields = config === '' ? [] : [element(ID.CodecPrivate, hex(config))];
    const audio = master(ID.Audio, [floatElement(ID.SamplingFrequency, 48_000), uintElement(ID.Channels, 2)]);
    const { tracks, samples } = demux([
      webmStream(
        [trackEntry(2, 2, codecId, ...fields, audio)],
        [[0, simpleBlock(2, 0, hex('2100')), simpleBlock(2, 21, hex('2101'))]],
      ),
    ]);
    expect(tracks[0]!.parameters).toMatchObject({
      codec: 'aac',
      codecString,
      sampleRate: 48_000,
      channels: 2,
    });
    expect(samples.map(({ dts }) => dts)).toEqual([0, length]);
  });

  it('Opus without OpusHead', () => {
    const audio = master(ID.Audio, [floatElement(ID.SamplingFrequency, 44_100), uintElement(ID.Channels, 1)]);
    const { tracks } = demux([webmStream([trackEntry(2, 2, 'A_OPUS', audio)], [])]);
    expect(tracks[0]!.parameters).toMatchObject({
      sampleRate: 48_000,
      channels: 1,
      description: hex('0001 0000 0000ac44 0000 00'),
    });
  });

  it('VP9 tells its level in the entry and the rest in the key frame', () => {
    const key = hex('82 498342 2013f00b30 0000000000000000');
    const features = element(ID.CodecPrivate, hex('010100 02011f 030108 040100'));
    const colour = master(ID.Colour, [uintElement(ID.MatrixCoefficients, 1), uintElement(ID.Primaries, 9)]);
    const entry = trackEntry(1, 1, 'V_VP9', features, master(ID.Video, [colour]));
    const { tracks } = demux([webmStream([entry], [[0, simpleBlock(1, 0, key)]])]);
    expect(tracks[0]!.parameters).toMatchObject({ codec: 'vp9', codecString: 'vp09.00.31.08' });
    expect(tracks[0]!.parameters).toMatchObject({ description: hex('00 1f 80 09 02 01 0000') });
  });

  it('that are not carried are left out, and told', () => {
    const encrypted = master(ID.ContentEncodings, [
      master(ID.ContentEncoding, [uintElement(ID.ContentEncodingType, 1)]),
    ]);
    const { tracks, faults, inits, demuxer } = demux([
      webmStream(
        [
          trackEntry(1, 2, 'A_VORBIS'),
          trackEntry(2, 17, 'S_TEXT/UTF8'),
          trackEntry(3, 1, 'V_VP8', encrypted),
          opusEntry(4),
        ],
        [[0, simpleBlock(1, 0, hex('00')), simpleBlock(2, 0, hex('00')), simpleBlock(4, 0, opusPacket())]],
      ),
    ]);
    expect(tracks.map(({ parameters }) => parameters.codec)).toEqual(['opus']);
    expect(faults.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringContaining('WEBM_CODEC_UNSUPPORTED track 1 with "A_VORBIS"'),
      expect.stringContaining('WEBM_CODEC_UNSUPPORTED track 3 with encryption'),
    ]);
    expect(inits[0]!.entries).toHaveLength(4);
    expect(demuxer.dropped).toBe(0);
  });
});
