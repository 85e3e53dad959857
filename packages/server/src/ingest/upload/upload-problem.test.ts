import { ParseError } from '@onair/media';
import { expect, it } from 'vitest';
import { problemOf } from './upload-routes.ts';
import { UploadError } from './upload-session.ts';

it('makes problems of what goes wrong with an upload, a full disk included', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, writev'), { code: 'ENOSPC' });
  expect(problemOf(full)).toMatchObject({ code: 'OVERLOADED', message: expect.stringContaining('disk') });
  expect(problemOf(Object.assign(new Error(), { code: 'EDQUOT' }))).toMatchObject({ code: 'OVERLOADED' });
  expect(problemOf(new UploadError('OVER', 'x'))).toMatchObject({ code: 'GONE', message: 'x' });
  expect(problemOf(new ParseError('EBML_HEADER_MISSING', 'RFC 8794', 'x'))).toMatchObject({
    code: 'UPLOAD_MEDIA',
  });
  const other = Object.assign(new Error(), { code: 'EIO' });
  expect(problemOf(other)).toBe(other);
});
