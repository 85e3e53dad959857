import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseError } from '../model/index.ts';
import {
  type AudioMessage,
  audioConfigBody,
  audioFrameHeaderBytes,
  parseAudioBody,
  writeAudioFrameHeader,
} from './audio-message.ts';
import { fourCc, fourCcText } from './fourcc.ts';
import {
  parseVideoBody,
  type VideoMessage,
  videoConfigBody,
  videoEndBody,
  videoFrameHeaderBytes,
  writeVideoFrameHeader,
} from './video-message.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const AVC1 = '61766331';
const HVC1 = '68766331';
const AV01 = '61763031';
const MP4A = '6d703461';
const OPUS = '4f707573';
const data = hex('0102');

type VideoVector = readonly [name: string, body: string, ...messages: VideoMessage[]];
const frame = (
  codec: VideoMessage['codec'],
  compositionMs = 0,
  nanoOffset = 0,
  trackId = 0,
): VideoMessage => ({
  kind: 'frame',
  codec,
  trackId,
  compositionMs,
  nanoOffset,
  data,
});
const config = (codec: VideoMessage['codec'], trackId = 0): VideoMessage => ({
  kind: 'config',
  codec,
  trackId,
  data,
});

const VIDEO: readonly VideoVector[] = [
  ['nothing', ''],
  ['H.264 configuration', '17 00 000000 0102', config('h264')],
  ['H.264 key frame', '17 01 000000 0102', frame('h264')],
  ['H.264, presented 80 ms later', '27 01 000050 0102', frame('h264', 80)],
  ['H.264, presented 40 ms earlier', '27 01 ffffd8 0102', frame('h264', -40)],
  ['H.264, the most negative offset', '27 01 800000 0102', frame('h264', -0x80_0000)],
  ['H.264 end', '17 02 000000', { kind: 'end', codec: 'h264', trackId: 0, data: hex('000000') }],
  ['H.264 end without offset', '17 02', { kind: 'end', codec: 'h264', trackId: 0, data: hex('') }],
  ['HEVC with the old codec id', '1c 01 000028 0102', frame('hevc', 40)],
  ['a seek command', '57 00'],
  ['enhanced configuration of AV1', `90 ${AV01} 0102`, config('av1')],
  ['enhanced AV1, which has no offset', `91 ${AV01} 0102`, frame('av1')],
  ['enhanced HEVC with offset', `a1 ${HVC1} ffffd8 0102`, frame('hevc', -40)],
  ['enhanced HEVC without offset', `a3 ${HVC1} 0102`, frame('hevc')],
  ['enhanced H.264 with offset', `91 ${AVC1} 000050 0102`, frame('h264', 80)],
  ['enhanced end', `92 ${HVC1}`, { kind: 'end', codec: 'hevc', trackId: 0, data: hex('') }],
  ['enhanced metadata', `94 ${HVC1} 0102`, { kind: 'metadata', codec: 'hevc', trackId: 0, data }],
  ['metadata in a command frame', `d4 ${HVC1} 0102`, { kind: 'metadata', codec: 'hevc', trackId: 0, data }],
  ['an enhanced command', 'd1 00'],
  ['a nanosecond offset', `97 02 0f423f 03 ${HVC1} 0102`, frame('hevc', 0, 999_999)],
  ['a nanosecond offset beyond its range', `97 02 ffffff 03 ${HVC1} 0102`, frame('hevc', 0, 999_999)],
  ['an unknown extension, then an offset', `97 00 aa 17 02 000064 01 ${AV01} 0102`, frame('av1', 0, 100)],
  ['an extension of 300 bytes', `97 ff 012b ${'00'.repeat(300)} f3 ${HVC1} 0102`, frame('hevc')],
  ['one track', `96 01 ${AV01} 03 0102`, frame('av1', 0, 0, 3)],
  [
    'many tracks of one codec',
    `96 13 ${HVC1} 00 000002 0102 01 000002 0102`,
    frame('hevc'),
    frame('hevc', 0, 0, 1),
  ],
  [
    'many tracks of many codecs',
    `96 20 ${AV01} 00 000002 0102 ${HVC1} 02 000002 0102`,
    config('av1'),
    config('hevc', 2),
  ],
  ['many tracks, each with offset', `96 11 ${HVC1} 01 000005 000028 0102`, frame('hevc', 40, 0, 1)],
  ['a track in an extension', `97 02 000064 06 03 ${HVC1} 01 0102`, frame('hevc', 0, 100, 1)],
];

describe('video bodies', () => {
  for (const [name, body, ...messages] of VIDEO) {
    it(`are read: ${name}`, () => expect(parseVideoBody(hex(body))).toEqual(messages));
  }

  it('throw a typed error wherever they are cut off, if they make no sense then', () => {
    for (const [, body] of VIDEO) {
      const whole = hex(body);
      for (let end = 0; end < whole.length; end++) {
        try {
          parseVideoBody(whole.subarray(0, end));
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
        }
      }
    }
    for (const body of ['17', '17 01 0000', '90 6176', `96 13 ${HVC1} 00 000005 0102`, '97 05 00', '97']) {
      expect(() => parseVideoBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'BYTES_OUT_OF_RANGE' }),
      );
    }
  });

  it('name the codec they refuse', () => {
    for (const [body, name] of [
      ['22 00', 'Sorenson H.263'],
      ['24 00', 'VP6'],
      ['16 00', 'Screen Video 2'],
      ['1f 00', 'codec id 15'],
      ['90 61706368', 'apch'],
      ['90 00ff0a41', '???A'],
    ] as const) {
      expect(() => parseVideoBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'FLV_CODEC_UNSUPPORTED', message: expect.stringContaining(name) }),
      );
    }
  });

  it('refuse unknown packet types and tracks within tracks', () => {
    for (const body of ['17 03 000000', `95 ${AV01}`, `98 ${AV01}`, `96 06 ${AV01} 00`, `96 31 ${AV01} 00`]) {
      expect(() => parseVideoBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'FLV_PACKET_TYPE_UNKNOWN' }),
      );
    }
    const flood = `96 13 ${HVC1} ${'00 000000 '.repeat(17)}`;
    expect(() => parseVideoBody(hex(flood))).toThrow(
      expect.objectContaining({ code: 'FLV_TOO_MANY_TRACKS' }),
    );
  });

  it('are written in the most compatible form', () => {
    const written = (codec: VideoMessage['codec'], compositionMs: number, trackId = 0): Uint8Array => {
      const out = new Uint8Array(videoFrameHeaderBytes(codec, compositionMs, trackId) + 2);
      writeVideoFrameHeader(out, 0, { codec, keyframe: false, compositionMs }, trackId);
      out.set(data, out.length - 2);
      return out;
    };
    expect(written('h264', 80)).toEqual(hex('27 01 000050 0102'));
    expect(written('h264', -40)).toEqual(hex('27 01 ffffd8 0102'));
    expect(written('h264', 1e9)).toEqual(hex('27 01 7fffff 0102'));
    expect(written('hevc', -40)).toEqual(hex(`a1 ${HVC1} ffffd8 0102`));
    expect(written('hevc', 0)).toEqual(hex(`a3 ${HVC1} 0102`));
    expect(written('av1', 0)).toEqual(hex(`a1 ${AV01} 0102`));
    expect(written('h264', 80, 2)).toEqual(hex(`a6 01 ${AVC1} 02 000050 0102`));
    for (const codec of ['h264', 'hevc', 'vvc', 'av1', 'vp8', 'vp9'] as const) {
      for (const trackId of [0, 7]) {
        const time = codec === 'h264' || codec === 'hevc' || codec === 'vvc' ? -1 : 0;
        expect(parseVideoBody(written(codec, time, trackId))).toEqual([frame(codec, time, 0, trackId)]);
        expect(parseVideoBody(videoConfigBody(codec, data, trackId))).toEqual([config(codec, trackId)]);
        expect(parseVideoBody(videoEndBody(codec, trackId))[0]).toMatchObject({
          kind: 'end',
          codec,
          trackId,
        });
      }
    }
    expect(videoConfigBody('h264', data)).toEqual(hex('17 00 000000 0102'));
    expect(videoConfigBody('vp9', data)).toEqual(hex('90 76703039 0102'));
    expect(videoEndBody('h264')).toEqual(hex('17 02 000000'));
  });
});

type AudioVector = readonly [name: string, body: string, ...messages: AudioMessage[]];
const audio = (kind: AudioMessage['kind'], codec: AudioMessage['codec'], trackId = 0): AudioMessage => ({
  kind,
  codec,
  trackId,
  data,
});

const AUDIO: readonly AudioVector[] = [
  ['silence', ''],
  ['AAC configuration', 'af 00 0102', audio('config', 'aac')],
  ['AAC', 'af 01 0102', audio('frame', 'aac')],
  ['MP3', '2e 0102', audio('frame', 'mp3')],
  ['MP3 at 8 kHz', 'e2 0102', audio('frame', 'mp3')],
  ['MP3 without any', '2e'],
  ['enhanced AAC configuration', `90 ${MP4A} 0102`, audio('config', 'aac')],
  ['enhanced Opus', `91 ${OPUS} 0102`, audio('frame', 'opus')],
  ['enhanced MP3', '91 2e6d7033 0102', audio('frame', 'mp3')],
  ['enhanced FLAC configuration', '90 664c6143 0102', audio('config', 'flac')],
  ['enhanced AC-3', '91 61632d33 0102', audio('frame', 'ac3')],
  ['enhanced E-AC-3', '91 65632d33 0102', audio('frame', 'eac3')],
  ['end', `92 ${OPUS} 0102`, audio('end', 'opus')],
  ['channel order', `94 ${OPUS} 0102`, audio('layout', 'opus')],
  ['an extension', `97 02 000064 01 ${OPUS} 0102`, audio('frame', 'opus')],
  ['one track', `95 01 ${MP4A} 01 0102`, audio('frame', 'aac', 1)],
  [
    'many tracks of many codecs',
    `95 21 ${MP4A} 00 000002 0102 ${OPUS} 01 000002 0102`,
    audio('frame', 'aac'),
    audio('frame', 'opus', 1),
  ],
];

describe('audio bodies', () => {
  for (const [name, body, ...messages] of AUDIO) {
    it(`are read: ${name}`, () => expect(parseAudioBody(hex(body))).toEqual(messages));
  }

  it('name the codec they refuse', () => {
    for (const [body, name] of [
      ['02', 'PCM'],
      ['62', 'Nellymoser'],
      ['b2', 'Speex'],
      ['7e', 'A-law'],
      ['c0', 'sound format 12'],
      ['90 61616161', 'aaaa'],
    ] as const) {
      expect(() => parseAudioBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'FLV_CODEC_UNSUPPORTED', message: expect.stringContaining(name) }),
      );
    }
  });

  it('refuse unknown packet types and cuts', () => {
    for (const body of ['af 02', `93 ${OPUS}`, `96 ${OPUS}`, `95 05 ${OPUS} 00`]) {
      expect(() => parseAudioBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'FLV_PACKET_TYPE_UNKNOWN' }),
      );
    }
    for (const body of ['af', '91 4f70', '97 02', `95 11 ${OPUS} 00 000009 01`]) {
      expect(() => parseAudioBody(hex(body))).toThrow(
        expect.objectContaining({ code: 'BYTES_OUT_OF_RANGE' }),
      );
    }
  });

  it('are written in the most compatible form', () => {
    const written = (
      codec: AudioMessage['codec'],
      sampleRate: number,
      channels: number,
      id = 0,
    ): Uint8Array => {
      const out = new Uint8Array(audioFrameHeaderBytes(codec, id) + 2);
      writeAudioFrameHeader(out, 0, { codec, sampleRate, channels }, id);
      out.set(data, out.length - 2);
      return out;
    };
    expect(written('aac', 48_000, 1)).toEqual(hex('af 01 0102'));
    expect(written('mp3', 44_100, 2)).toEqual(hex('2f 0102'));
    expect(written('mp3', 22_050, 1)).toEqual(hex('2a 0102'));
    expect(written('mp3', 8000, 1)).toEqual(hex('e2 0102'));
    expect(written('opus', 48_000, 2)).toEqual(hex(`91 ${OPUS} 0102`));
    expect(written('aac', 48_000, 2, 1)).toEqual(hex(`95 01 ${MP4A} 01 0102`));
    for (const codec of ['aac', 'opus', 'mp3', 'flac', 'ac3', 'eac3'] as const) {
      for (const id of [0, 3]) {
        expect(parseAudioBody(written(codec, 48_000, 2, id))).toEqual([audio('frame', codec, id)]);
      }
    }
    expect(parseAudioBody(audioConfigBody('aac', data))).toEqual([audio('config', 'aac')]);
    expect(parseAudioBody(audioConfigBody('flac', data, 2))).toEqual([audio('config', 'flac', 2)]);
  });
});

describe('any body', () => {
  it('gives messages or a typed error', () => {
    const first = fc.constantFrom(0x17, 0x27, 0x1c, 0x90, 0x91, 0x95, 0x96, 0x97, 0xaf, 0x2e);
    fc.assert(
      fc.property(fc.option(first), fc.uint8Array({ maxLength: 60 }), (start, rest) => {
        const body = start === null ? rest : Uint8Array.of(start, ...rest);
        for (const parse of [parseVideoBody, parseAudioBody]) {
          try {
            for (const message of parse(body)) expect(message.data.length).toBeLessThanOrEqual(body.length);
          } catch (error) {
            expect(error).toBeInstanceOf(ParseError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has FourCCs that can be read', () => {
    expect(fourCc('avc1')).toBe(0x6176_6331);
    expect(fourCcText(fourCc('Opus'))).toBe('Opus');
  });
});
