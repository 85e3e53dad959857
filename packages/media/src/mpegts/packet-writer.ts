import { putPcr } from './clock.ts';
import { PACKET_BYTES, PACKET_ROOM, PID_COUNT, SYNC_BYTE } from './packet.ts';

/** What the adaptation field of the first packet of a unit says. */
export interface UnitMarks {
  readonly randomAccess: boolean;
  readonly discontinuity: boolean;
  /** 27 MHz ticks of the clock references to be spread over its packets, the first in the first packet. */
  readonly clocks: readonly number[];
}

/** Adaptation field with flags alone, and with a clock reference. */
const FLAGS_BYTES = 2;
const CLOCK_BYTES = 8;
const RANDOM_ACCESS = 0x40;
const DISCONTINUITY = 0x80;
const HAS_CLOCK = 0x10;

/** An array is handed over as it is if at least this share of it was written to. */
const WORTH_KEEPING = 0.9;
const EMPTY = new Uint8Array(0);
/** Arrays that were given back and wait to be written to. */
const MAX_SPARES = 3;

/** A PES packet that waits to be parted: it lies from `at` to `end`. */
interface OpenUnit {
  readonly at: number;
  readonly end: number;
  /** Packets from one clock reference to the next. */
  readonly step: number;
  /** Of the first packet's adaptation field. */
  readonly flags: number;
  readonly clocks: readonly number[];
}

const NO_UNIT: OpenUnit = { at: 0, end: 0, step: 1, flags: 0, clocks: [] };

/** Writes transport packets one after the other and counts them by PID. ISO/IEC 13818-1 §2.4.3.2. */
export class PacketWriter {
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  #unit = NO_UNIT;
  readonly #spares: Uint8Array[] = [];
  readonly #lends: boolean;
  /** continuity_counter of the next packet with payload, by PID. */
  readonly #counters = new Uint8Array(PID_COUNT);

  /** @param lends what is taken comes back by {@link giveBack} and is never made smaller by copying. */
  constructor(lends = false) {
    this.#lends = lends;
  }

  /** Nobody looks at what was taken any longer: its memory is used again. */
  giveBack({ buffer }: Uint8Array): void {
    if (this.#lends && this.#spares.length < MAX_SPARES) this.#spares.push(new Uint8Array(buffer));
  }

  /** What is written, from its beginning to the end of the room there is; another array whenever that grows. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Bytes written since the last {@link take}. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for about so many bytes at once. */
  expect(bytes: number): void {
    this.#reserve(Math.ceil(bytes / PACKET_BYTES));
  }

  /** Hands over what was written, in an array that belongs to the taker; counters go on. */
  take(): Uint8Array {
    const length = this.#length;
    this.#length = 0;
    if (!this.#lends && length < this.#bytes.length * WORTH_KEEPING) return this.#bytes.slice(0, length);
    const out = this.#bytes.subarray(0, length);
    this.#bytes = EMPTY;
    return out;
  }

  /** A section that fits one packet, which all tables written here do. */
  section(pid: number, section: Uint8Array): void {
    this.#reserve(1);
    const at = this.#header(pid, true, 0x10);
    this.#bytes[at] = 0;
    this.#bytes.set(section, at + 1);
    this.#bytes.fill(0xff, at + 1 + section.length, this.#length);
  }

  /** A packet without payload that tells the clock. @param pcr 27 MHz ticks. @param discontinuity it does not follow on. */
  clock(pid: number, pcr: number, discontinuity = false): void {
    this.#reserve(1);
    const at = this.#length;
    this.#length = at + PACKET_BYTES;
    const bytes = this.#bytes;
    bytes[at] = SYNC_BYTE;
    bytes[at + 1] = pid >> 8;
    bytes[at + 2] = pid;
    // Without payload the counter stays where it was, which is one before the next. §2.4.3.3
    bytes[at + 3] = 0x20 | ((this.#counters[pid]! - 1) & 15);
    bytes[at + 4] = PACKET_ROOM - 1;
    bytes[at + 5] = discontinuity ? HAS_CLOCK | DISCONTINUITY : HAS_CLOCK;
    putPcr(bytes, at + 6, pcr);
    bytes.fill(0xff, at + 12, at + PACKET_BYTES);
  }

  /**
   * Makes room for a PES packet of `length` bytes.
   * @returns where in {@link bytes} it is to be put before {@link close} parts it.
   */
  open(length: number, marks: UnitMarks): number {
    const clocks = marks.clocks.length;
    const most = Math.ceil((length + clocks * CLOCK_BYTES) / PACKET_ROOM) + 1;
    const step = Math.max(1, Math.floor((most - 1) / Math.max(1, clocks)));
    const flags = (marks.randomAccess ? RANDOM_ACCESS : 0) | (marks.discontinuity ? DISCONTINUITY : 0);
    const packets = packetsOf(length, step, clocks, clocks > 0 ? CLOCK_BYTES : flags !== 0 ? FLAGS_BYTES : 0);
    this.#reserve(most);
    const end = this.#length + packets * PACKET_BYTES;
    // It ends where its packets will end: each moves forwards to its place and overtakes none behind it.
    this.#unit = { at: end - length, end, step, flags, clocks: marks.clocks };
    return end - length;
  }

  /** Parts what {@link open} made room for into packets, where it lies. */
  close(pid: number): void {
    const { end, step, clocks } = this.#unit;
    let { at: from, flags } = this.#unit;
    let clock = 0;
    for (let index = 0; from < end; index++) {
      const told = clock < clocks.length && index === clock * step ? clocks[clock++] : undefined;
      const field = told !== undefined ? CLOCK_BYTES : flags !== 0 ? FLAGS_BYTES : 0;
      const part = Math.min(end - from, PACKET_ROOM - field);
      const stuffed = PACKET_ROOM - part;
      const at = this.#length + PACKET_BYTES - PACKET_ROOM;
      this.#bytes.copyWithin(at + stuffed, from, from + part);
      this.#header(pid, index === 0, stuffed > 0 ? 0x30 : 0x10);
      if (stuffed > 0) this.#adaptation(at, stuffed, flags, told);
      from += part;
      flags = 0;
    }
    // Too few packets to carry them all.
    while (clock < clocks.length) this.clock(pid, clocks[clock++]!);
  }

  /** An adaptation field of `size` bytes, its length byte included. */
  #adaptation(at: number, size: number, flags: number, pcr: number | undefined): void {
    const bytes = this.#bytes;
    bytes[at] = size - 1;
    if (size === 1) return;
    bytes[at + 1] = flags | (pcr === undefined ? 0 : HAS_CLOCK);
    if (pcr !== undefined) putPcr(bytes, at + 2, pcr);
    bytes.fill(0xff, at + (pcr === undefined ? FLAGS_BYTES : CLOCK_BYTES), at + size);
  }

  #header(pid: number, start: boolean, control: number): number {
    const bytes = this.#bytes;
    const at = this.#length;
    const counter = this.#counters[pid]!;
    this.#counters[pid] = (counter + 1) & 15;
    bytes[at] = SYNC_BYTE;
    bytes[at + 1] = (start ? 0x40 : 0) | (pid >> 8);
    bytes[at + 2] = pid;
    bytes[at + 3] = control | counter;
    this.#length = at + PACKET_BYTES;
    return at + 4;
  }

  #reserve(packets: number): void {
    const needed = this.#length + packets * PACKET_BYTES;
    if (needed <= this.#bytes.length) return;
    const fits = this.#spares.findIndex(({ length }) => length >= needed);
    // One that is too small is dropped, so that what is kept grows with what is needed.
    const [spare] = this.#spares.splice(Math.max(0, fits), 1);
    const bigger =
      fits >= 0 ? spare! : new Uint8Array(Math.max(needed, this.#bytes.length * 2, 64 * PACKET_BYTES));
    bigger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bigger;
  }
}

/** Packets that a unit of `length` bytes takes. @param first bytes of the first one's adaptation field. */
function packetsOf(length: number, step: number, clocks: number, first: number): number {
  for (let packets = Math.ceil((length + first) / PACKET_ROOM); ; packets++) {
    const further = Math.min(clocks, Math.ceil(packets / step)) - 1;
    const room = packets * PACKET_ROOM - first - Math.max(0, further) * CLOCK_BYTES;
    if (room >= length) return packets;
  }
}
