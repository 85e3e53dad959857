import { Field } from '../api/index.ts';

/** Longest text of the chat in UTF-16 units. */
export const MAX_CHAT_TEXT = 1000;
/** Longest name of somebody who chats in UTF-16 units. */
export const MAX_CHAT_NAME = 40;
/** Data bytes of every part of a file but the last: with its index 16 KiB, which every browser takes (RFC 8841 §6.1). */
export const FILE_PART_BYTES = 16 * 1024 - 4;
/** Largest file of a transfer, in bytes: it is put together in memory. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Ranges in one report of missing parts. */
const MAX_RANGES = 256;

/** Signs that can be given without words. */
export const REACTIONS = ['👍', '❤️', '😂', '😮', '👏', '🎉'] as const;

/** Said beside the picture. `id` is the author's, random, and makes that one said twice over two ways is heard once. */
export type ChatAside =
  | { readonly type: 'chat'; readonly id: string; readonly text: string; readonly name?: string }
  | { readonly type: 'reaction'; readonly id: string; readonly sign: (typeof REACTIONS)[number] };

/** First and last index of parts in a row. */
export type PartRange = readonly [first: number, last: number];

/** Steps of a file's way, but for its parts. */
export type FileAside =
  | { readonly type: 'file_offer'; readonly id: string; readonly name: string; readonly size: number }
  | {
      readonly type: 'file_accept' | 'file_refuse' | 'file_sent' | 'file_got' | 'file_cancel';
      readonly id: string;
    }
  | { readonly type: 'file_missing'; readonly id: string; readonly parts: readonly PartRange[] };

/** A part of a file on its way over the server. Over a channel it is its index (32 bits, big end first) and the data. */
export interface FilePart {
  readonly type: 'file_part';
  readonly id: string;
  readonly index: number;
  readonly data: Uint8Array;
}

/** Whatever goes beside the picture. */
export type Aside = ChatAside | FileAside | FilePart;

/** Types of {@link Aside}. */
export const ASIDE_TYPES = [
  'chat',
  'reaction',
  'file_offer',
  'file_accept',
  'file_refuse',
  'file_sent',
  'file_got',
  'file_cancel',
  'file_missing',
  'file_part',
] as const satisfies readonly Aside['type'][];

/** True for types that mean something to one receiver only. */
export function isFileStep(type: string): boolean {
  return type.startsWith('file_') && type !== 'file_offer';
}

/** Reads what goes beside the picture. @throws DecodeError */
export function decodeAside(value: unknown): Aside {
  const field = new Field(value);
  const type = field.at('type').oneOf(ASIDE_TYPES);
  const id = identifier(field.at('id'));
  switch (type) {
    case 'chat': {
      const text = field.at('text');
      if (text.string(MAX_CHAT_TEXT).trim() === '') text.fail('some text');
      return {
        type,
        id,
        text: text.string(),
        ...field.optional('name', (name) => name.string(MAX_CHAT_NAME)),
      };
    }
    case 'reaction':
      return { type, id, sign: field.at('sign').oneOf(REACTIONS) };
    case 'file_offer':
      return { type, id, name: fileName(field.at('name')), size: fileSize(field.at('size')) };
    case 'file_missing':
      return { type, id, parts: field.at('parts').list(range, MAX_RANGES) };
    case 'file_part':
      return { type, id, index: field.at('index').count(), data: partData(field.at('data')) };
    default:
      return { type, id };
  }
}

/** Writes a part for a channel. */
export function writeFilePart(index: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4 + data.length);
  new DataView(out.buffer).setUint32(0, index);
  out.set(data, 4);
  return out;
}

/** Reads a part from a channel; the data is a view. @throws DecodeError */
export function readFilePart(bytes: Uint8Array): { readonly index: number; readonly data: Uint8Array } {
  if (bytes.length <= 4 || bytes.length > 4 + FILE_PART_BYTES) {
    new Field(bytes.length, 'part').fail(`5 to ${4 + FILE_PART_BYTES} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { index: view.getUint32(0), data: bytes.subarray(4) };
}

function identifier(field: Field): string {
  const id = field.string(32);
  return /^[\w-]{8,32}$/.test(id) ? id : field.fail('8 to 32 of A-Z a-z 0-9 _ -');
}

/** The last part of whatever path was given; nothing that hides or turns text around. */
function fileName(field: Field): string {
  const name = field.string(255);
  if (name === '' || /[/\\\p{Cc}\p{Cf}]/u.test(name)) field.fail('a name of a file');
  return name;
}

function fileSize(field: Field): number {
  const size = field.count();
  return size > 0 && size <= MAX_FILE_BYTES ? size : field.fail(`1 to ${MAX_FILE_BYTES} bytes`);
}

function range(field: Field): PartRange {
  const [first = 0, last = -1] = field.list((item) => item.count(), 2);
  return last >= first ? [first, last] : field.fail('the first and the last of parts in a row');
}

function partData(field: Field): Uint8Array {
  const { value } = field;
  const data = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
  if (!(data instanceof Uint8Array)) return field.fail('bytes');
  return data.length > 0 && data.length <= FILE_PART_BYTES
    ? data
    : field.fail(`1 to ${FILE_PART_BYTES} bytes`);
}
