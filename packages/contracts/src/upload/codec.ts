import type { UploadClientText, UploadResult, UploadServerText } from './message.ts';

/** A message that breaks `docs/protocols/upload.md`. */
export class UploadMessageError extends Error {
  override readonly name = 'UploadMessageError';
  readonly code = 'UPLOAD_MESSAGE';
}

/** Longest text message, in characters. */
const MAX_TEXT = 4096;

/** A text message from the server. @throws UploadMessageError */
export function decodeUploadServerText(text: string): UploadServerText {
  const value = fields(text);
  switch (value.type) {
    case 'ready':
      return {
        type: 'ready',
        session: string(value.session),
        offset: count(value.offset),
        window: count(value.window),
      };
    case 'ack':
      return { type: 'ack', offset: count(value.offset) };
    case 'done':
      return { type: 'done', ...result(value) };
    case 'error':
      return { type: 'error', code: string(value.code), detail: string(value.detail) };
    default:
      throw new UploadMessageError('an unknown text message');
  }
}

/** A text message from a client. @throws UploadMessageError */
export function decodeUploadClientText(text: string): UploadClientText {
  if (fields(text).type === 'end') return { type: 'end' };
  throw new UploadMessageError('an unknown text message');
}

/** The answer to the end of an upload over HTTP. @throws UploadMessageError */
export function decodeUploadResult(text: string): UploadResult {
  return result(fields(text));
}

function result(value: Readonly<Record<string, unknown>>): UploadResult {
  const { seconds } = value;
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw new UploadMessageError('not a number of seconds');
  return { offset: count(value.offset), seconds, playlist: string(value.playlist), file: string(value.file) };
}

function fields(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_TEXT) throw new UploadMessageError(`a message of ${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UploadMessageError('a message that is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new UploadMessageError('not an object');
  return value as Readonly<Record<string, unknown>>;
}

function count(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new UploadMessageError('not a count');
  return value as number;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new UploadMessageError('not a string');
  return value;
}
