import { ParseError } from '../model/errors.ts';
import { Unwrapper } from '../time/index.ts';
import { MAX_UNIT_BYTES, type PayloadFormat } from './payload-format.ts';
import type { OrderedPacket } from './receive-queue.ts';

/** One access unit out of RTP. */
export interface RtpUnit {
  /** Ticks of the payload's clock, unwrapped. */
  readonly timestamp: number;
  readonly data: Uint8Array;
}

/** What a {@link UnitAssembler} found. */
export interface AssembledUnits {
  readonly units: readonly RtpUnit[];
  /** True if something is missing in front of or between the units. */
  readonly broken: boolean;
}

const NOTHING: AssembledUnits = { units: [], broken: false };

/** Puts access units together from packets that come in order. A unit that lost a packet is left out. */
export class UnitAssembler {
  readonly #format: PayloadFormat;
  readonly #unwrap = new Unwrapper(32);
  #payloads: Uint8Array[] = [];
  #bytes = 0;
  #timestamp: number | undefined;
  #damaged = false;
  #dropped = 0;

  constructor(format: PayloadFormat) {
    this.#format = format;
  }

  /** Units that were left out. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a packet; its payload is referred to until its unit is complete. */
  push({ packet, lossBefore }: OrderedPacket): AssembledUnits {
    let result = NOTHING;
    // The marker is a hint: another time begins another unit too.
    if (this.#timestamp !== undefined && packet.timestamp !== this.#timestamp) {
      this.#damaged ||= lossBefore;
      result = this.#finish();
    }
    if (this.#timestamp === undefined) {
      if (packet.payload.length === 0) return merge(result, lossBefore);
      this.#timestamp = packet.timestamp;
      // What was lost may have been the begin of this one; its format tells.
      result = merge(result, lossBefore);
    } else if (lossBefore) this.#damaged = true;
    this.#payloads.push(packet.payload);
    this.#bytes += packet.payload.length;
    if (this.#bytes > MAX_UNIT_BYTES) {
      this.#damaged = true;
      this.#payloads = [];
      this.#bytes = 0;
    }
    if (!packet.marker && !this.#format.packetIsUnit) return result;
    const last = this.#finish();
    return { units: [...result.units, ...last.units], broken: result.broken || last.broken };
  }

  #finish(): AssembledUnits {
    const timestamp = this.#unwrap.next(this.#timestamp!);
    const payloads = this.#payloads;
    const damaged = this.#damaged;
    this.#payloads = [];
    this.#bytes = 0;
    this.#timestamp = undefined;
    this.#damaged = false;
    if (!damaged) {
      try {
        const data = this.#format.join(payloads);
        return data.length === 0 ? NOTHING : { units: [{ timestamp, data }], broken: false };
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
    }
    this.#dropped++;
    return { units: [], broken: true };
  }
}

function merge(result: AssembledUnits, broken: boolean): AssembledUnits {
  return broken ? { units: result.units, broken } : result;
}
