import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../api/index.ts';
import {
  decodeFileClientText,
  decodeFileServerText,
  decodeMediaFileList,
  type FileServerText,
  isFileName,
} from './index.ts';

const MESSAGES: readonly FileServerText[] = [
  {
    type: 'hello',
    protocol: 'onair.file.v1',
    name: 'a.mp4',
    container: 'mp4',
    size: 2 ** 40,
    duration: 12.5,
  },
  { type: 'seeked', id: 3, start: 7.25 },
  { type: 'read', bytes: 5 },
  { type: 'end' },
  { type: 'error', code: 'UPLOAD_MEDIA', detail: 'no' },
];

describe('file socket messages', () => {
  it.each(MESSAGES)('reads $type', (message) => {
    expect(decodeFileServerText(JSON.stringify({ ...message, newer: 1 }))).toEqual(message);
  });

  it('reads what clients say', () => {
    expect(decodeFileClientText('{"type":"want","until":5}')).toEqual({ type: 'want', until: 5 });
    expect(decodeFileClientText('{"type":"seek","id":1,"to":0}')).toEqual({ type: 'seek', id: 1, to: 0 });
  });

  it('throws its own error for everything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        for (const decode of [decodeFileClientText, decodeFileServerText]) {
          try {
            decode(text);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }
      }),
    );
    expect(() => decodeMediaFileList({ files: [{ name: 'a' }] })).toThrow(DecodeError);
  });

  it('knows names without a path', () => {
    for (const name of ['a.mp4', 'Film (1).webm', '映画.ts', 'a.b-c.flv'])
      expect(isFileName(name)).toBe(true);
    for (const name of ['', '.a.mp4', '../a.mp4', 'a/b.mp4', 'a\\b.mp4', 'a.mp4/', 'mp4', 'a.mp4\n']) {
      expect(isFileName(name)).toBe(false);
    }
  });
});
