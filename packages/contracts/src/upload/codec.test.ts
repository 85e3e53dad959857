import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeUploadClientText,
  decodeUploadResult,
  decodeUploadServerText,
  UploadMessageError,
  type UploadServerText,
} from './index.ts';

const MESSAGES: readonly UploadServerText[] = [
  { type: 'ready', session: 'a'.repeat(22), offset: 0, window: 8 },
  { type: 'ack', offset: 2 ** 40 },
  { type: 'done', offset: 1, seconds: 1.25, playlist: '/live/a/playlist.m3u8', file: '' },
  { type: 'error', code: 'UPLOAD_MEDIA', detail: 'no' },
];

describe('upload messages', () => {
  it.each(MESSAGES)('reads $type', (message) => {
    expect(decodeUploadServerText(JSON.stringify({ ...message, newer: 1 }))).toEqual(message);
  });

  it('reads end and a result', () => {
    expect(decodeUploadClientText('{"type":"end"}')).toEqual({ type: 'end' });
    expect(decodeUploadResult('{"offset":1,"seconds":0,"playlist":"","file":""}').offset).toBe(1);
  });

  it('throws its own error for everything else', () => {
    const wrong = ['', 'null', '[]', '{"type":"ack","offset":-1}', '{"type":"ack"}', `"${'x'.repeat(5000)}"`];
    for (const text of wrong) expect(() => decodeUploadServerText(text)).toThrow(UploadMessageError);
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => decodeUploadClientText(text)).toThrow(UploadMessageError);
      }),
    );
  });
});
