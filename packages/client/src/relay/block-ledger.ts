import { RELAY_HASH_BYTES, type RelayIndex } from '@onair/contracts/relay';

/** A block that is what the server said it is. */
export interface LedgerBlock {
  readonly sequence: number;
  readonly independent: boolean;
  /** Its fMP4 message, header and payload. */
  readonly bytes: Uint8Array;
}

/**
 * What became of a block that was offered: `taken`; `known`, it was there; `early`, kept until the index names it;
 * `forged`, its hash is another; `refused`, no room for what may never be named.
 */
export type Offered = 'taken' | 'known' | 'early' | 'forged' | 'refused';

/** Who sent blocks that were right, and who sent others, before the index named them. */
export interface Judged {
  readonly honest: ReadonlySet<string>;
  readonly forgers: ReadonlySet<string>;
  /** True if the numbers count anew: this is another log than before. */
  readonly renumbered: boolean;
}

/** One place in the order of the stream: a block of the index, or a set-up message in between. */
interface Entry {
  readonly sequence: number;
  readonly independent: boolean;
  readonly hash: Uint8Array | undefined;
  readonly at: number;
  bytes: Uint8Array | undefined;
  askedAt: number;
}

/** Blocks that came before the index named them, with who sent them. */
interface Early {
  readonly bytes: Uint8Array;
  readonly by: string | undefined;
}

/** Bounds of what is kept although the index does not name it. */
const MAX_EARLY = 256;
const MAX_EARLY_BYTES = 8 * 1024 * 1024;
/** Entries that may wait; the oldest give way, up to the next block one can start at. */
const MAX_WAITING = 4096;
/** A block that neither parent nor server gives within this time is left out, ms. */
const GIVE_UP_MS = 6_000;

/**
 * Puts blocks from anywhere into the order of the server's index and lets nothing through whose hash is not the one
 * that the server told. What it gives out is exactly the stream, whoever sent the blocks, in whatever order and however
 * often. Where a block cannot be had it goes on at the next one that a decoder can start at.
 */
export class BlockLedger {
  readonly #hash: (bytes: Uint8Array) => Uint8Array;
  #order: Entry[] = [];
  readonly #entries = new Map<number, Entry>();
  readonly #early = new Map<number, Early>();
  #earlyBytes = 0;
  #verified: LedgerBlock[] = [];
  /** Everything up to here was given out or left out. */
  #position = -1;
  #resync = false;
  #reconnected = false;

  /** @param hash SHA-256. */
  constructor(hash: (bytes: Uint8Array) => Uint8Array) {
    this.#hash = hash;
  }

  /** Sequence number up to which everything was given out or left out; -1 before the first. */
  get position(): number {
    return this.#position;
  }

  /** Blocks of the index that are not there yet. */
  get waiting(): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.bytes === undefined) count++;
    return count;
  }

  /** When the index named a block that is not there yet, ms. */
  namedAt(sequence: number): number | undefined {
    return this.#entries.get(sequence)?.at;
  }

  /** The next index comes from a new connection or broadcast: if it does not go on where this one is, it is another log. */
  connected(): void {
    this.#reconnected = true;
  }

  /** Forgets everything. */
  reset(): void {
    this.#order = [];
    this.#entries.clear();
    this.#early.clear();
    this.#earlyBytes = 0;
    this.#verified = [];
    this.#position = -1;
    this.#resync = false;
  }

  /** A set-up message (epoch, init) that belongs behind all blocks named so far. */
  setUp(message: Uint8Array, now: number): void {
    const entry = { sequence: -1, independent: false, hash: undefined, at: now, bytes: message, askedAt: -1 };
    this.#order.push(entry);
  }

  /** The server names blocks. Returns what this says of peers whose blocks came before. @param now ms */
  announce({ entries }: RelayIndex, now: number): Judged {
    const judged = { honest: new Set<string>(), forgers: new Set<string>(), renumbered: false };
    const first = entries[0];
    if (first === undefined) return judged;
    if (this.#reconnected && first.sequence <= this.#position) {
      this.reset();
      judged.renumbered = true;
    }
    this.#reconnected = false;
    for (const { sequence, independent, hash } of entries) {
      if (sequence <= this.#position || this.#entries.has(sequence)) continue;
      const entry: Entry = { sequence, independent, hash, at: now, bytes: undefined, askedAt: -1 };
      this.#order.push(entry);
      this.#entries.set(sequence, entry);
      const early = this.#early.get(sequence);
      if (early === undefined) continue;
      this.#forgetEarly(sequence, early);
      const right = this.#accept(entry, early.bytes, early.by === undefined);
      if (early.by !== undefined) judged[right ? 'honest' : 'forgers'].add(early.by);
    }
    while (this.#order.length > MAX_WAITING) this.#leaveOut(this.#order.shift()!);
    this.#forgetPast();
    return judged;
  }

  /** A block came. @param by the peer that sent it; undefined for the server, which is believed */
  offer(sequence: number, bytes: Uint8Array, by: string | undefined): Offered {
    if (sequence <= this.#position) return 'known';
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return this.#keepEarly(sequence, bytes, by);
    if (entry.bytes !== undefined) return 'known';
    return this.#accept(entry, bytes, by === undefined) ? 'taken' : 'forged';
  }

  /** Messages that are due, in order: blocks and the set-ups between them. */
  take(): Uint8Array[] {
    const out: Uint8Array[] = [];
    let taken = 0;
    for (const entry of this.#order) {
      if (entry.hash === undefined) {
        out.push(entry.bytes!);
        taken++;
        continue;
      }
      if (this.#resync && !entry.independent) {
        this.#leaveOut(entry);
        taken++;
        continue;
      }
      if (entry.bytes === undefined) break;
      this.#resync = false;
      out.push(entry.bytes);
      this.#pass(entry);
      taken++;
    }
    if (taken > 0) this.#order = this.#order.slice(taken);
    return out;
  }

  /** Blocks found to be right since the last call, in the order in which they came. */
  takeVerified(): LedgerBlock[] {
    const fresh = this.#verified;
    this.#verified = [];
    return fresh;
  }

  /**
   * Blocks that were named `lateMs` ago or earlier and are not there, oldest first. Each is told again after `againMs`.
   * What nobody could give is left out for good.
   */
  missing(now: number, lateMs: number, againMs: number, most: number): number[] {
    const late: number[] = [];
    for (const entry of this.#order) {
      if (now - entry.at < lateMs || late.length >= most) break;
      if (entry.bytes !== undefined) continue;
      if (now - entry.at > GIVE_UP_MS) {
        this.gone(entry.sequence);
        return this.missing(now, lateMs, againMs, most);
      }
      if (entry.askedAt >= 0 && now - entry.askedAt < againMs) continue;
      entry.askedAt = now;
      late.push(entry.sequence);
    }
    return late;
  }

  /** Nobody has this block any more: what comes after it cannot be decoded up to the next independent one. */
  gone(sequence: number): void {
    const entry = this.#entries.get(sequence);
    if (entry === undefined || entry.bytes !== undefined) return;
    const at = this.#order.indexOf(entry);
    const before = this.#order.slice(0, at);
    // What lies before it may still come; to wait for it would only make the gap longer.
    for (const passed of before) if (passed.hash !== undefined) this.#leaveOut(passed);
    this.#leaveOut(entry);
    this.#order = [...before.filter(({ hash }) => hash === undefined), ...this.#order.slice(at + 1)];
  }

  #accept(entry: Entry, bytes: Uint8Array, trusted: boolean): boolean {
    if (!trusted && !same(this.#hash(bytes), entry.hash!)) return false;
    entry.bytes = bytes;
    this.#verified.push({ sequence: entry.sequence, independent: entry.independent, bytes });
    return true;
  }

  #keepEarly(sequence: number, bytes: Uint8Array, by: string | undefined): Offered {
    const known = this.#early.get(sequence);
    // The server's word replaces a peer's.
    if (known !== undefined && (known.by === undefined || by !== undefined)) return 'known';
    if (known !== undefined) this.#forgetEarly(sequence, known);
    if (this.#early.size >= MAX_EARLY || this.#earlyBytes + bytes.length > MAX_EARLY_BYTES) return 'refused';
    this.#early.set(sequence, { bytes, by });
    this.#earlyBytes += bytes.length;
    return 'early';
  }

  #forgetEarly(sequence: number, { bytes }: Early): void {
    this.#early.delete(sequence);
    this.#earlyBytes -= bytes.length;
  }

  /** What lies behind the newest entry will not be named any more. */
  #forgetPast(): void {
    const newest = this.#order[this.#order.length - 1]?.sequence ?? this.#position;
    for (const [sequence, early] of this.#early) if (sequence <= newest) this.#forgetEarly(sequence, early);
  }

  #leaveOut(entry: Entry): void {
    this.#resync = true;
    this.#pass(entry);
  }

  #pass(entry: Entry): void {
    this.#entries.delete(entry.sequence);
    this.#position = Math.max(this.#position, entry.sequence);
  }
}

function same(hash: Uint8Array, wanted: Uint8Array): boolean {
  for (let i = 0; i < RELAY_HASH_BYTES; i++) if (hash[i] !== wanted[i]) return false;
  return true;
}
