import { ByteReader, ChunkQueue } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { TAG_HEADER_BYTES, TAG_TRAILER_BYTES, type Tag, type TagType } from './tag.ts';

/** Largest tag body accepted unless told otherwise, in bytes: some 60 Mbit/s all in one key frame per second. */
export const DEFAULT_MAX_TAG_BYTES = 8 * 1024 * 1024;
/** Largest FLV file header, in bytes; it has 9 today. */
export const MAX_FLV_HEADER_BYTES = 1024;

/** What {@link FlvReader} hands out: first the file header, then tags. */
export type FlvItem =
  | { readonly kind: 'header'; readonly audio: boolean; readonly video: boolean }
  | { readonly kind: 'tag'; readonly tag: Tag };

const CLAUSE = 'FLV v10.1 §E.2';
const TAG_CLAUSE = 'FLV v10.1 §E.4.1';
const HEADER_BYTES = 9;
const TYPES: ReadonlyMap<number, TagType> = new Map([
  [8, 'audio'],
  [9, 'video'],
  [18, 'script'],
]);

type State =
  | { readonly step: 'header' }
  | { readonly step: 'header rest'; readonly bytes: number }
  | { readonly step: 'tag header' }
  | {
      readonly step: 'tag body';
      readonly type: TagType;
      readonly timestampMs: number;
      readonly size: number;
    };

/**
 * Splits an FLV byte stream, however it is cut, into its tags. PreviousTagSize fields are passed over:
 * several writers fill in zero.
 */
export class FlvReader {
  readonly #queue = new ChunkQueue();
  readonly #maxTagBytes: number;
  #state: State = { step: 'header' };

  /** @param options.maxTagBytes largest body accepted. */
  constructor(options: { readonly maxTagBytes?: number } = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? DEFAULT_MAX_TAG_BYTES;
  }

  /** Adds received bytes. The reader keeps the view: the caller must not write into it again. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** Bytes received but not handed out yet. */
  get buffered(): number {
    return this.#queue.length;
  }

  /**
   * The next item, or undefined until more bytes come. A body is a view that stays valid.
   * After an error the stream cannot be read on.
   * @throws ParseError `FLV_SIGNATURE_MISSING`, `FLV_TAG_TYPE_UNKNOWN`, `FLV_TAG_TOO_LARGE`, `FLV_TAG_ENCRYPTED`
   */
  next(): FlvItem | undefined {
    for (;;) {
      const state = this.#state;
      switch (state.step) {
        case 'header': {
          const bytes = this.#queue.take(HEADER_BYTES);
          if (bytes === undefined) {
            this.#checkSignature();
            return undefined;
          }
          return this.#readHeader(bytes);
        }
        case 'header rest':
          if (this.#queue.take(state.bytes) === undefined) return undefined;
          this.#state = { step: 'tag header' };
          break;
        case 'tag header': {
          const bytes = this.#queue.take(TAG_HEADER_BYTES);
          if (bytes === undefined) return undefined;
          this.#state = this.#readTagHeader(bytes);
          break;
        }
        case 'tag body': {
          if (this.#queue.length < state.size + TAG_TRAILER_BYTES) return this.#lastTag(state);
          const body = this.#queue.take(state.size)!;
          this.#queue.take(TAG_TRAILER_BYTES);
          this.#state = { step: 'tag header' };
          return { kind: 'tag', tag: { type: state.type, timestampMs: state.timestampMs, body } };
        }
      }
    }
  }

  /** A body that is whole is handed out at once; its trailer is passed over with the next header. */
  #lastTag(state: Extract<State, { step: 'tag body' }>): FlvItem | undefined {
    const body = this.#queue.take(state.size);
    if (body === undefined) return undefined;
    this.#state = { step: 'header rest', bytes: TAG_TRAILER_BYTES };
    return { kind: 'tag', tag: { type: state.type, timestampMs: state.timestampMs, body } };
  }

  #readHeader(bytes: Uint8Array): FlvItem {
    const reader = new ByteReader(bytes, CLAUSE);
    const signature = reader.u24();
    if (signature !== 0x464c56) throw noSignature();
    reader.skip(1); // version: 1 in every file seen, and nothing depends on it
    const flags = reader.u8();
    const size = reader.u32();
    if (size < HEADER_BYTES || size > MAX_FLV_HEADER_BYTES) {
      throw new ParseError('FLV_SIGNATURE_MISSING', CLAUSE, `a file header of ${size} bytes`, 5);
    }
    this.#state = { step: 'header rest', bytes: size - HEADER_BYTES + TAG_TRAILER_BYTES };
    return { kind: 'header', audio: (flags & 4) !== 0, video: (flags & 1) !== 0 };
  }

  #checkSignature(): void {
    for (let i = 0; i < 3; i++) {
      const byte = this.#queue.peek(i);
      if (byte !== undefined && byte !== [0x46, 0x4c, 0x56][i]) throw noSignature();
    }
  }

  #readTagHeader(bytes: Uint8Array): State {
    const reader = new ByteReader(bytes, TAG_CLAUSE);
    const first = reader.u8();
    if ((first & 0x20) !== 0) {
      throw new ParseError('FLV_TAG_ENCRYPTED', 'FLV v10.1 §E.4.1 Filter', 'an encrypted tag');
    }
    const type = TYPES.get(first & 0x1f);
    if (type === undefined) {
      throw new ParseError(
        'FLV_TAG_TYPE_UNKNOWN',
        TAG_CLAUSE,
        `tag type ${first & 0x1f}, 8, 9 or 18 expected`,
      );
    }
    const size = reader.u24();
    if (size > this.#maxTagBytes) {
      const limit = this.#maxTagBytes;
      throw new ParseError(
        'FLV_TAG_TOO_LARGE',
        TAG_CLAUSE,
        `a tag of ${size} bytes, at most ${limit} allowed`,
      );
    }
    const low = reader.u24();
    const timestampMs = reader.u8() * 0x100_0000 + low;
    return { step: 'tag body', type, timestampMs, size };
  }
}

function noSignature(): ParseError {
  return new ParseError('FLV_SIGNATURE_MISSING', CLAUSE, 'the bytes do not begin with FLV', 0);
}
