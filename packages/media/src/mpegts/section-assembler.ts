import { ParseError } from '../model/errors.ts';
import { crc32 } from './crc32.ts';

/** Longest program association or map section, header included. ISO/IEC 13818-1 §2.4.4.4, §2.4.4.9. */
export const MAX_SECTION_BYTES = 1024;
const CLAUSE = 'ISO/IEC 13818-1 §2.4.4.2';
/** table_id of bytes that only fill the packet. */
const STUFFING = 0xff;

/** Puts the sections of one PID together again from the payloads of its packets. */
export class SectionAssembler {
  readonly #section: (section: Uint8Array) => void;
  readonly #fault: (error: ParseError) => void;
  readonly #short: boolean;
  readonly #bytes = new Uint8Array(MAX_SECTION_BYTES);
  /** Bytes gathered of the section that is under way; undefined between sections. */
  #length: number | undefined;

  /**
   * @param section takes each whole section whose CRC is right; its bytes are the taker's.
   * @param fault is told what could not be read; the next section is tried.
   * @param short takes sections of the short form too, as SCTE 35 has them, with a CRC at their end.
   */
  constructor(section: (section: Uint8Array) => void, fault: (error: ParseError) => void, short = false) {
    this.#section = section;
    this.#fault = fault;
    this.#short = short;
  }

  /** Takes the payload of the next packet. @param start payload_unit_start_indicator. */
  push(payload: Uint8Array, start: boolean): void {
    let at = 0;
    if (start) {
      const pointer = payload[0] ?? 0;
      if (1 + pointer > payload.length) {
        this.#length = undefined;
        this.#fail('TS_SECTION', `pointer_field ${pointer} reaches beyond the packet`);
        return;
      }
      if (this.#length !== undefined) this.#gather(payload, 1, 1 + pointer);
      if (this.#length !== undefined) this.#fail('TS_SECTION', 'a section ends before its length');
      at = 1 + pointer;
      this.#length = 0;
    }
    while (this.#length !== undefined && at < payload.length) {
      if (this.#length === 0 && payload[at] === STUFFING) {
        this.#length = undefined;
        return;
      }
      at = this.#gather(payload, at, payload.length);
      // Further sections may follow, but only in the packet where one has begun.
      if (this.#length === undefined && at < payload.length && start) this.#length = 0;
      else if (this.#length === undefined) return;
    }
  }

  /** A packet is missing: what was begun cannot be finished. */
  lost(): void {
    this.#length = undefined;
  }

  #gather(payload: Uint8Array, from: number, to: number): number {
    let at = from;
    let length = this.#length!;
    while (length < 3 && at < to) this.#bytes[length++] = payload[at++]!;
    this.#length = length;
    if (length < 3) return at;
    const total = 3 + (((this.#bytes[1]! & 0x0f) << 8) | this.#bytes[2]!);
    if (total > MAX_SECTION_BYTES) {
      this.#length = undefined;
      this.#fail('TS_SECTION', `a section of ${total} bytes`);
      return to;
    }
    const part = Math.min(total - length, to - at);
    this.#bytes.set(payload.subarray(at, at + part), length);
    this.#length = length + part;
    if (this.#length === total) {
      this.#length = undefined;
      this.#finish(total);
    }
    return at + part;
  }

  #finish(total: number): void {
    // Tables of the short form have no CRC as a rule, and are of no use here then.
    if (!this.#short && (this.#bytes[1]! & 0x80) === 0) return;
    if (crc32(this.#bytes, 0, total) !== 0)
      this.#fail('TS_CRC', `the CRC of a section of ${total} bytes is wrong`);
    else this.#section(this.#bytes.slice(0, total));
  }

  #fail(code: 'TS_SECTION' | 'TS_CRC', message: string): void {
    this.#length = undefined;
    this.#fault(new ParseError(code, CLAUSE, message));
  }
}
