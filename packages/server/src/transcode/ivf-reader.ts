/** Length of the file header, unless it says otherwise, and of each frame's. */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;
/** Largest frame that is taken, in bytes. */
export const MAX_IVF_FRAME_BYTES = 8 * 1024 * 1024;

/** Splits IVF, in which ffmpeg writes VP8 frame by frame, however it is cut. Times are the file's own. */
export class IvfReader {
  #rest = Buffer.alloc(0);
  #begun = false;

  /**
   * Frames that are whole by now, as views that stay valid.
   * @throws Error if it is no IVF, or a frame is too large.
   */
  push(chunk: Uint8Array): { readonly time: number; readonly data: Uint8Array }[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#begun) {
      if (this.#rest.length < HEADER_BYTES) return [];
      if (this.#rest.toString('latin1', 0, 4) !== 'DKIF') throw new Error('what came is no IVF');
      at = Math.max(HEADER_BYTES, this.#rest.readUInt16LE(6));
      if (this.#rest.length < at) return [];
      this.#begun = true;
    }
    const frames: { time: number; data: Uint8Array }[] = [];
    while (this.#rest.length - at >= FRAME_HEADER_BYTES) {
      const size = this.#rest.readUInt32LE(at);
      if (size > MAX_IVF_FRAME_BYTES) throw new Error(`a frame of ${size} bytes`);
      if (this.#rest.length - at < FRAME_HEADER_BYTES + size) break;
      const time = Number(this.#rest.readBigInt64LE(at + 4));
      at += FRAME_HEADER_BYTES;
      frames.push({ time, data: this.#rest.subarray(at, at + size) });
      at += size;
    }
    this.#rest = this.#rest.subarray(at);
    return frames;
  }
}
