import { gzipSync } from 'node:zlib';

/** A rendered text, ready to be sent: once made, everybody gets the same bytes. */
export class PlaylistBody {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly #tag: string;
  #gzip: Uint8Array | undefined;

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

  /** Strong entity tag of either form (RFC 9110 §8.8.3). */
  entityTag(gzipped: boolean): string {
    return `"${this.#tag}${gzipped ? '-gzip' : ''}"`;
  }
}
