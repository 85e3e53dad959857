import { ByteWriter } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { PES_PREFIX_BYTES, type PesHeader, readPesHeader } from './pes.ts';

/** Largest PES packet; a picture of 8 bits in 4:2:0 of 2160 lines has 12 MB uncoded. */
export const MAX_PES_BYTES = 8 * 1024 * 1024;
const CLAUSE = 'ISO/IEC 13818-1 §2.4.3.7';

/** One PES packet put together again. */
export interface PesUnit {
  readonly header: PesHeader;
  /** What follows the header; the taker's. */
  readonly data: Uint8Array;
  /** random_access_indicator stood where it begins. */
  readonly randomAccess: boolean;
  /** Packets of it were lost, or its length is a lie. */
  readonly damaged: boolean;
}

/** Where an assembler reports to. */
export interface PesSink {
  unit(unit: PesUnit): void;
  fault(error: ParseError): void;
}

/** Puts the PES packets of one PID together again from the payloads of its packets. */
export class PesAssembler {
  readonly #sink: PesSink;
  #bytes: ByteWriter | undefined;
  /** Bytes of the whole packet, 0 while or where it is not told. */
  #whole = 0;
  #flags = { randomAccess: false, damaged: false };
  /** Bytes of the last packet: the next is about as long. */
  #usual = 4096;

  constructor(sink: PesSink) {
    this.#sink = sink;
  }

  /** Bytes of the packet that is under way. */
  get held(): number {
    return this.#bytes?.length ?? 0;
  }

  /** Takes the payload of the next packet of the PID. */
  push(payload: Uint8Array, start: boolean, randomAccess: boolean): void {
    if (start) {
      this.finish();
      this.#bytes = new ByteWriter(Math.max(256, this.#usual));
      this.#whole = 0;
      this.#flags = { randomAccess, damaged: false };
    }
    const bytes = this.#bytes;
    if (bytes === undefined) return;
    if (bytes.length + payload.length > MAX_PES_BYTES) {
      this.drop(`a PES packet of more than ${MAX_PES_BYTES} bytes`);
      return;
    }
    bytes.bytes(payload);
    if (this.#whole === 0 && bytes.length >= PES_PREFIX_BYTES) {
      const head = bytes.finish();
      const length = (head[4]! << 8) | head[5]!;
      this.#whole = length === 0 ? -1 : PES_PREFIX_BYTES + length;
    }
    if (this.#whole > 0 && bytes.length >= this.#whole) this.finish();
  }

  /** A packet of the PID is missing. */
  lost(): void {
    this.#flags.damaged = true;
  }

  /** Lets go of the packet that is under way. */
  drop(message: string): void {
    if (this.#bytes === undefined) return;
    this.#bytes = undefined;
    this.#sink.fault(new ParseError('TS_LIMIT', CLAUSE, message));
  }

  /** The packet under way is over: another begins, or nothing follows. */
  finish(): void {
    const gathered = this.#bytes?.finish();
    this.#bytes = undefined;
    if (gathered === undefined || gathered.length === 0) return;
    this.#usual = Math.min(gathered.length, 1024 * 1024);
    const { randomAccess, damaged } = this.#flags;
    try {
      const header = readPesHeader(gathered);
      const told = header.length === 0 ? gathered.length : PES_PREFIX_BYTES + header.length;
      const wrong = told !== gathered.length;
      if (wrong) {
        const message = `PES_packet_length says ${told} bytes, ${gathered.length} came`;
        this.#sink.fault(new ParseError('TS_PES', CLAUSE, message));
      }
      this.#sink.unit({
        header,
        data: gathered.subarray(header.headerBytes, told),
        randomAccess,
        damaged: damaged || wrong,
      });
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#sink.fault(error);
    }
  }
}
