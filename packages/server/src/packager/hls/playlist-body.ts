import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Quality of brotli: beyond it the gain on a playlist is a few bytes, at several times the cost. */
const BROTLI_QUALITY = 5;

/** A rendered text, ready to be sent: once made, everybody gets the same bytes. */
export class PlaylistBody {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly #tag: string;
  #gzip: Uint8Array | undefined;
  #brotli: Uint8Array | undefined;

  /** @param tag changes whenever the text does; part of the entity tag. */
  constructor(text: string, tag: string) {
    this.text = text;
    this.bytes = Buffer.from(text, 'utf8');
    this.#tag = tag;
  }

  /** The gzip form (RFC 1952), made when first asked for. */
  get gzip(): Uint8Array {
    this.#gzip ??= gzipSync(this.bytes, { level: 6 });
    return this.#gzip;
  }

  /** The brotli form (RFC 7932), made when first asked for. */
  get brotli(): Uint8Array {
    this.#brotli ??= brotliCompressSync(this.bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_SIZE_HINT]: this.bytes.length,
      },
    });
    return this.#brotli;
  }

  /** The bytes in one coding. */
  coded(coding: 'identity' | 'gzip' | 'br'): Uint8Array {
    if (coding === 'br') return this.brotli;
    return coding === 'gzip' ? this.gzip : this.bytes;
  }

  /** Strong entity tag of one form (RFC 9110 §8.8.3). */
  entityTag(coding: 'identity' | 'gzip' | 'br'): string {
    return `"${this.#tag}${coding === 'identity' ? '' : `-${coding}`}"`;
  }
}
