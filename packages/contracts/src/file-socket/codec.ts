import { Field } from '../api/index.ts';
import {
  FILE_SUBPROTOCOL,
  type FileClientText,
  type FileServerText,
  MAX_FILE_NAME,
  type MediaFileList,
} from './message.ts';

/** Longest file that is told of, in seconds. */
const MAX_SECONDS = 1e9;

/** True for what a media file may be called: letters, digits and `_ - . ( )` and spaces, with a known ending. */
export function isFileName(name: string): boolean {
  return name.length <= MAX_FILE_NAME && /^[\p{L}\p{N}_][\p{L}\p{N} _().-]*\.[a-z0-9]{2,4}$/u.test(name);
}

/** A text message from the server. @throws DecodeError if it is none of the known ones. */
export function decodeFileServerText(text: string): FileServerText {
  const message = parsed(text);
  const type = message.at('type').string();
  const seconds = (name: string): number => message.at(name).number(0);
  switch (type) {
    case 'hello':
      return {
        type,
        protocol: FILE_SUBPROTOCOL,
        name: message.at('name').string(MAX_FILE_NAME),
        container: message.at('container').string(16),
        size: message.at('size').number(0),
        duration: Math.min(MAX_SECONDS, seconds('duration')),
      };
    case 'seeked':
      return { type, id: message.at('id').number(0), start: seconds('start') };
    case 'read':
      return { type, bytes: message.at('bytes').number(0) };
    case 'end':
      return { type };
    case 'error':
      return { type, code: message.at('code').string(), detail: message.at('detail').string() };
    default:
      return message.at('type').fail('a known type');
  }
}

/** A text message from a client. @throws DecodeError if it is none of the known ones. */
export function decodeFileClientText(text: string): FileClientText {
  const message = parsed(text);
  const type = message.at('type').string();
  switch (type) {
    case 'want':
      return { type, until: message.at('until').number(0) };
    case 'seek':
      return { type, id: message.at('id').number(0), to: message.at('to').number(0) };
    default:
      return message.at('type').fail('a known type');
  }
}

/** The list of files. @throws DecodeError */
export function decodeMediaFileList(value: unknown): MediaFileList {
  const list = new Field(value);
  return {
    files: list.at('files').list((file) => ({
      name: file.at('name').string(MAX_FILE_NAME),
      size: file.at('size').number(0),
      modified: file.at('modified').number(0),
    })),
    maxBytes: list.at('maxBytes').number(0),
    open: list.at('open').boolean(),
  };
}

function parsed(text: string): Field {
  try {
    return new Field(JSON.parse(text));
  } catch {
    return new Field(text.slice(0, 20)).fail('JSON');
  }
}
