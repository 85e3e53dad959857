import { ParseError } from '../model/errors.ts';
import { NULL_PID, PACKET_BYTES, PAT_PID, readPacket, SYNC_BYTE, type TsPacket } from './packet.ts';
import { PesAssembler, type PesUnit } from './pes-assembler.ts';
import { SectionAssembler } from './section-assembler.ts';
import { STREAM_TYPE } from './stream-type.ts';
import { MAX_STREAMS, readPat, readPmt, type TsProgramMap, type TsStreamInfo } from './tables.ts';

/** Streams of sections, which are no PES packets: private ones, and those of SCTE 35. */
const SECTIONS: ReadonlySet<number> = new Set([STREAM_TYPE.privateSections, STREAM_TYPE.scte35]);
/** Bytes that all unfinished PES packets of a stream may hold together. */
export const MAX_UNFINISHED_BYTES = 16 * 1024 * 1024;
const SYNC_CLAUSE = 'ISO/IEC 13818-1 Annex G.1';
const CONTINUITY_CLAUSE = 'ISO/IEC 13818-1 §2.4.3.3';
const PACKET_CLAUSE = 'ISO/IEC 13818-1 §2.4.3.2';

/** A PES packet of an elementary stream. */
export interface TsUnit extends PesUnit {
  readonly pid: number;
  readonly streamType: number;
}

/** A program clock reference. */
export interface TsClockReference {
  readonly pid: number;
  /** 27 MHz ticks, 42 bits. */
  readonly pcr: number;
  /** discontinuity_indicator: it does not go on from the one before. */
  readonly discontinuity: boolean;
  /** Byte of the packet from the start of the stream. */
  readonly offset: number;
}

/** Where a demuxer reports to; what is left out is not wanted. */
export interface TsHandlers {
  /** The program, whenever its map has changed. */
  program?(map: TsProgramMap): void;
  unit?(unit: TsUnit): void;
  clock?(reference: TsClockReference): void;
  /** A whole section of a stream of SCTE 35, its CRC checked; the taker's. */
  section?(section: Uint8Array, pid: number): void;
  /** Every packet of 188 bytes, before anything else is made of it. Views into what was pushed. */
  packet?(packet: TsPacket, offset: number): void;
  /** Something is wrong; reading goes on with what follows. */
  fault?(error: ParseError, pid: number | undefined): void;
}

interface ElementaryStream {
  readonly info: TsStreamInfo;
  readonly assembler: PesAssembler;
}

interface Continuity {
  counter: number;
  /** The packet before was sent twice. */
  repeated: boolean;
}

/**
 * Takes a transport stream apart, in pieces of any size: finds the packets, reads the tables of the first
 * program, puts PES packets together. What is malformed is reported and passed over; nothing throws.
 */
export class TsDemuxer {
  readonly #handlers: TsHandlers;
  readonly #continuity = new Map<number, Continuity>();
  readonly #streams = new Map<number, ElementaryStream>();
  /** Of streams of SCTE 35, by PID. */
  readonly #sections = new Map<number, SectionAssembler>();
  readonly #pat: SectionAssembler;
  #map: { readonly pid: number; readonly sections: SectionAssembler } | undefined;
  #program: TsProgramMap | undefined;
  /** Bytes that are not yet a packet, fewer than two packets. */
  #rest = new Uint8Array(0);
  /** Bytes from the start of the stream up to `#rest`. */
  #offset = 0;
  #synced = false;
  /** Bytes are being passed over, and it was told. */
  #searching = false;

  constructor(handlers: TsHandlers) {
    this.#handlers = handlers;
    this.#pat = new SectionAssembler(
      (section) => this.#readPat(section),
      (error) => handlers.fault?.(error, PAT_PID),
    );
  }

  /** The program map in force. */
  get program(): TsProgramMap | undefined {
    return this.#program;
  }

  /** Takes the next bytes of the stream; nothing of them is kept. */
  push(bytes: Uint8Array): void {
    const joined = this.#rest.length === 0 ? bytes : join(this.#rest, bytes);
    let at = 0;
    while (joined.length - at >= PACKET_BYTES) {
      if (!this.#synced || joined[at] !== SYNC_BYTE) {
        const found = this.#search(joined, at);
        const next = found ?? Math.max(at, joined.length - PACKET_BYTES);
        if (next > at || joined[at] !== SYNC_BYTE) this.#skipped(at);
        at = next;
        this.#synced = found !== undefined;
        if (!this.#synced) break;
        this.#searching = false;
      }
      this.#packet(joined, at);
      at += PACKET_BYTES;
    }
    this.#offset += at;
    this.#rest = joined.slice(at);
  }

  /** Nothing follows: hands out what is under way. */
  end(): void {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    if (rest.length === PACKET_BYTES && rest[0] === SYNC_BYTE) this.#packet(rest, 0);
    else if (rest.length > 0 && !this.#searching) {
      this.#fault('TS_SYNC', SYNC_CLAUSE, `the stream ends within a packet, after ${rest.length} bytes`);
    }
    for (const { assembler } of this.#streams.values()) assembler.finish();
  }

  /** Where a packet begins that another follows. */
  #search(bytes: Uint8Array, from: number): number | undefined {
    for (let at = from; at + PACKET_BYTES < bytes.length; at++) {
      if (bytes[at] === SYNC_BYTE && bytes[at + PACKET_BYTES] === SYNC_BYTE) return at;
    }
    return undefined;
  }

  /** Tells once that bytes from `at` on are no packets. */
  #skipped(at: number): void {
    if (this.#searching) return;
    this.#searching = true;
    this.#fault('TS_SYNC', SYNC_CLAUSE, 'no sync byte where a packet should begin', this.#offset + at);
  }

  #packet(bytes: Uint8Array, at: number): void {
    const offset = this.#offset + at;
    const packet = readPacket(bytes, at);
    if (typeof packet === 'string') {
      this.#fault('TS_PACKET', PACKET_CLAUSE, packet, offset);
      return;
    }
    const { pid } = packet;
    this.#handlers.packet?.(packet, offset);
    if (pid === NULL_PID) return;
    if (packet.error || packet.scrambled) {
      const what = packet.error ? 'transport_error_indicator is set' : 'the packet is scrambled';
      this.#fault('TS_PACKET', PACKET_CLAUSE, what, offset, pid);
      this.#lost(pid);
      this.#continuity.delete(pid);
      return;
    }
    const known = pid === PAT_PID || pid === this.#map?.pid || pid === this.#program?.pcrPid;
    if (!known && !this.#streams.has(pid) && !this.#sections.has(pid)) return;
    if (!this.#follows(packet, offset)) return;
    if (packet.pcr !== undefined && pid === this.#program?.pcrPid) {
      this.#handlers.clock?.({ pid, pcr: packet.pcr, discontinuity: packet.discontinuity, offset });
    }
    if (packet.hasPayload) this.#payload(packet);
  }

  #payload({ pid, payload, start, randomAccess }: TsPacket): void {
    if (pid === PAT_PID) this.#pat.push(payload, start);
    else if (pid === this.#map?.pid) this.#map.sections.push(payload, start);
    else {
      this.#sections.get(pid)?.push(payload, start);
      const assembler = this.#streams.get(pid)?.assembler;
      assembler?.push(payload, start, randomAccess);
      if (assembler !== undefined && assembler.held > MAX_UNFINISHED_BYTES / MAX_STREAMS) this.#bound();
    }
  }

  /** False for a packet that was sent twice. */
  #follows({ pid, continuity, discontinuity, hasPayload }: TsPacket, offset: number): boolean {
    const before = this.#continuity.get(pid);
    if (before === undefined || discontinuity) {
      this.#continuity.set(pid, { counter: continuity, repeated: false });
      if (before !== undefined && hasPayload && continuity !== ((before.counter + 1) & 15)) this.#lost(pid);
      return true;
    }
    const expected = hasPayload ? (before.counter + 1) & 15 : before.counter;
    if (hasPayload && continuity === before.counter && !before.repeated) {
      before.repeated = true;
      return false;
    }
    before.repeated = false;
    before.counter = continuity;
    if (continuity !== expected) {
      const message = `continuity_counter ${continuity} of PID ${pid}, ${expected} expected`;
      this.#fault('TS_CONTINUITY', CONTINUITY_CLAUSE, message, offset, pid);
      this.#lost(pid);
    }
    return true;
  }

  #lost(pid: number): void {
    this.#streams.get(pid)?.assembler.lost();
    this.#sections.get(pid)?.lost();
    if (pid === PAT_PID) this.#pat.lost();
    else if (pid === this.#map?.pid) this.#map.sections.lost();
  }

  /** Many streams that never finish a packet must not fill the memory. */
  #bound(): void {
    let held = 0;
    for (const { assembler } of this.#streams.values()) held += assembler.held;
    if (held <= MAX_UNFINISHED_BYTES) return;
    let largest: PesAssembler | undefined;
    for (const { assembler } of this.#streams.values()) {
      if (assembler.held > (largest?.held ?? 0)) largest = assembler;
    }
    largest?.drop(`more than ${MAX_UNFINISHED_BYTES} bytes of unfinished PES packets`);
  }

  #readPat(section: Uint8Array): void {
    this.#reading(PAT_PID, () => {
      const first = readPat(section)?.programs[0];
      if (first === undefined || first.mapPid === this.#map?.pid) return;
      const pid = first.mapPid;
      const sections = new SectionAssembler(
        (map) => this.#readPmt(map, pid, first.program),
        (error) => this.#handlers.fault?.(error, pid),
      );
      this.#map = { pid, sections };
      this.#continuity.delete(pid);
    });
  }

  #readPmt(section: Uint8Array, pid: number, program: number): void {
    this.#reading(pid, () => {
      const map = readPmt(section);
      if (map === undefined || map.program !== program) return;
      const running = this.#program;
      if (running?.version === map.version && running.program === map.program) return;
      this.#program = map;
      for (const [old, { info, assembler }] of this.#streams) {
        if (map.streams.some((stream) => stream.pid === old && stream.streamType === info.streamType))
          continue;
        assembler.finish();
        this.#streams.delete(old);
      }
      this.#sections.clear();
      for (const info of map.streams) this.#open(info);
      this.#handlers.program?.(map);
    });
  }

  #open(info: TsStreamInfo): void {
    const { pid, streamType } = info;
    if (streamType === STREAM_TYPE.scte35 && this.#handlers.section !== undefined) {
      const section = (bytes: Uint8Array): void => this.#handlers.section?.(bytes, pid);
      const fault = (error: ParseError): void => this.#handlers.fault?.(error, pid);
      this.#sections.set(pid, new SectionAssembler(section, fault, true));
      this.#continuity.delete(pid);
    }
    if (SECTIONS.has(streamType)) return;
    if (this.#streams.has(pid) || pid === PAT_PID || pid === this.#map?.pid || pid === NULL_PID) return;
    const assembler = new PesAssembler({
      unit: (unit) => this.#handlers.unit?.({ ...unit, pid, streamType }),
      fault: (error) => this.#handlers.fault?.(error, pid),
    });
    this.#streams.set(pid, { info, assembler });
    this.#continuity.delete(pid);
  }

  #reading(pid: number, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handlers.fault?.(error, pid);
    }
  }

  #fault(
    code: 'TS_SYNC' | 'TS_PACKET' | 'TS_CONTINUITY',
    clause: string,
    message: string,
    offset?: number,
    pid?: number,
  ): void {
    this.#handlers.fault?.(new ParseError(code, clause, message, offset), pid);
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
