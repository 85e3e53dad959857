/** Time for which unused upload may be saved up, ms: a group of pictures comes in bursts. */
const SAVED_MS = 2_000;

/** Keeps what a peer sends to others below a number of bits per second. */
export class UploadBudget {
  #bits = 0;
  #left = 0;
  #at: number | undefined;

  /** Another bound. @param bits per second, 0 for none */
  set(bits: number): void {
    if (bits === this.#bits) return;
    this.#bits = bits;
    this.#left = this.#most;
  }

  /** True if so many bytes may be sent now. One block may always go out after a pause, however large. */
  take(bytes: number, now: number): boolean {
    if (this.#bits === 0) return true;
    this.#left = Math.min(this.#most, this.#left + ((now - (this.#at ?? now)) * this.#bits) / 8000);
    this.#at = now;
    if (this.#left < Math.min(bytes, this.#most)) return false;
    this.#left -= bytes;
    return true;
  }

  get #most(): number {
    return (this.#bits * SAVED_MS) / 8000;
  }
}
