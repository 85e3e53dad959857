import { Unwrapper } from '../time/index.ts';
import { middleOfNtp, type NtpTime } from './ntp.ts';
import type { RtpHeader } from './packet.ts';
import type { ReportBlock } from './rtcp.ts';

/** Counts what came from one source, for receiver reports. RFC 3550 §6.4.1, appendices A.3 and A.8. */
export class Reception {
  readonly ssrc: number;
  readonly #clockRate: number;
  readonly #unwrap = new Unwrapper(16);
  #base: number | undefined;
  #highest = 0;
  #received = 0;
  readonly #prior = { expected: 0, received: 0 };
  readonly #transit: { last: number | undefined; jitter: number } = { last: undefined, jitter: 0 };
  #report: { readonly middle: number; readonly at: number } | undefined;

  /** @param clockRate ticks per second of the payload's clock. */
  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc;
    this.#clockRate = clockRate;
  }

  /** Packets that never came so far; repeats count as arrivals. */
  get lost(): number {
    return this.#base === undefined ? 0 : this.#highest - this.#base + 1 - this.#received;
  }

  /** Notes a packet. @param now monotonic milliseconds. */
  note(header: RtpHeader, now: number): void {
    const sequence = this.#unwrap.next(header.sequence);
    this.#base ??= sequence;
    this.#highest = Math.max(this.#highest, sequence);
    this.#received++;
    const transit = (now * this.#clockRate) / 1000 - header.timestamp;
    const { last } = this.#transit;
    this.#transit.last = transit;
    if (last === undefined) return;
    const difference = Math.abs(transit - last);
    // A wrap of the timestamp is no jitter.
    if (difference < 2 ** 31) this.#transit.jitter += (difference - this.#transit.jitter) / 16;
  }

  /** Notes a sender report. @param now monotonic milliseconds. */
  noteReport(ntp: NtpTime, now: number): void {
    this.#report = { middle: middleOfNtp(ntp), at: now };
  }

  /** The report on what came since the last call. @param now monotonic milliseconds. */
  block(now: number): ReportBlock {
    const expected = this.#base === undefined ? 0 : this.#highest - this.#base + 1;
    const expectedNow = expected - this.#prior.expected;
    const lostNow = expectedNow - (this.#received - this.#prior.received);
    this.#prior.expected = expected;
    this.#prior.received = this.#received;
    const report = this.#report;
    return {
      ssrc: this.ssrc,
      fractionLost:
        expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      lost: Math.max(-0x80_0000, Math.min(0x7f_ffff, this.lost)),
      highest: this.#highest >>> 0,
      jitter: Math.round(this.#transit.jitter),
      lastReport: report?.middle ?? 0,
      delay: report === undefined ? 0 : Math.round(((now - report.at) * 65_536) / 1000),
    };
  }
}
