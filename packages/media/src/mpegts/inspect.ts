import { ADTS_HEADER_BYTES, parseAdtsHeader } from '../bitstream/index.ts';
import { ParseError } from '../model/errors.ts';
import { CLOCK_RANGE, clockDistance, PCR_PER_TICK } from './clock.ts';
import { TsDemuxer, type TsUnit } from './demuxer.ts';
import { STREAM_TYPE } from './stream-type.ts';
import type { TsProgramMap } from './tables.ts';

/** Most faults that a report lists; further ones are counted. */
export const MAX_FAULTS = 100;

/** What was found of one elementary stream. */
export interface TsStreamReport {
  readonly pid: number;
  readonly streamType: number;
  units: number;
  /** Units that begin with random_access_indicator. */
  randomAccess: number;
  damaged: number;
  bytes: number;
  /** 90 kHz, as they stand in the stream: 33 bits. */
  firstPts: number | undefined;
  lastPts: number | undefined;
  firstDts: number | undefined;
  lastDts: number | undefined;
  /** Largest distance from one DTS to the next in ticks of 90 kHz; 0 with fewer than two. */
  longestStep: number;
  /** Units whose DTS does not lie behind that of the one before. */
  backwards: number;
  /** Smallest time from the clock when a unit has arrived to its DTS, in ticks of 90 kHz. */
  margin: number;
}

/** What was found in a transport stream. */
export interface TsReport {
  readonly packets: number;
  /** Every program map that was in force, in order. */
  readonly programs: readonly TsProgramMap[];
  readonly streams: readonly TsStreamReport[];
  readonly clock: {
    readonly count: number;
    /** Largest distance from one clock reference to the next in ticks of 27 MHz, discontinuities apart. */
    readonly longestStep: number;
    /** References that do not lie behind the one before. */
    readonly backwards: number;
    readonly discontinuities: number;
    /** 27 MHz ticks. */
    readonly first: number | undefined;
    readonly last: number | undefined;
  };
  readonly faults: readonly ParseError[];
  /** Those that are not listed included. */
  readonly faultCount: number;
}

/** Measures a transport stream in pieces of any size: what it holds, and how well it keeps the rules. */
export class TsInspector {
  readonly #demuxer: TsDemuxer;
  readonly #streams = new Map<number, TsStreamReport>();
  readonly #programs: TsProgramMap[] = [];
  readonly #faults: ParseError[] = [];
  readonly #clock = {
    count: 0,
    longestStep: 0,
    backwards: 0,
    discontinuities: 0,
    first: undefined as number | undefined,
    last: undefined as number | undefined,
  };
  #packets = 0;
  #faultCount = 0;

  /** @param unit is shown every unit on the way. */
  constructor(unit?: (unit: TsUnit) => void) {
    this.#demuxer = new TsDemuxer({
      packet: () => {
        this.#packets++;
      },
      program: (map) => {
        if (this.#programs.length < MAX_FAULTS) this.#programs.push(map);
      },
      clock: ({ pcr, discontinuity }) => this.#reference(pcr, discontinuity),
      unit: (found) => {
        this.#unit(found);
        unit?.(found);
      },
      fault: (error) => this.#fault(error),
    });
  }

  push(bytes: Uint8Array): void {
    this.#demuxer.push(bytes);
  }

  /** Nothing follows. @returns what was found. */
  end(): TsReport {
    this.#demuxer.end();
    return {
      packets: this.#packets,
      programs: this.#programs,
      streams: [...this.#streams.values()].sort((a, b) => a.pid - b.pid),
      clock: this.#clock,
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  #reference(pcr: number, discontinuity: boolean): void {
    const clock = this.#clock;
    const before = clock.last;
    clock.count++;
    clock.first ??= pcr;
    clock.last = pcr;
    if (discontinuity) clock.discontinuities++;
    else if (before !== undefined) {
      const range = CLOCK_RANGE * PCR_PER_TICK;
      let step = pcr - before;
      if (step < -range / 2) step += range;
      if (step <= 0) clock.backwards++;
      clock.longestStep = Math.max(clock.longestStep, step);
    }
  }

  #unit(unit: TsUnit): void {
    const { pid, streamType, header, data } = unit;
    let report = this.#streams.get(pid);
    if (report === undefined) {
      report = newReport(pid, streamType);
      this.#streams.set(pid, report);
    }
    report.units++;
    report.bytes += data.length;
    if (unit.randomAccess) report.randomAccess++;
    if (unit.damaged) report.damaged++;
    const { pts } = header;
    if (pts !== undefined) this.#times(report, pts, header.dts ?? pts);
    if (streamType === STREAM_TYPE.adts && !unit.damaged) this.#adts(data);
  }

  #times(report: TsStreamReport, pts: number, dts: number): void {
    const before = report.lastDts;
    report.firstPts ??= pts;
    report.lastPts = pts;
    report.firstDts ??= dts;
    report.lastDts = dts;
    if (before !== undefined) {
      const step = clockDistance(before, dts);
      if (step <= 0) report.backwards++;
      report.longestStep = Math.max(report.longestStep, step);
    }
    if (clockDistance(dts, pts) < 0) {
      this.#fault(new ParseError('TS_PES', 'ISO/IEC 13818-1 §2.4.3.7', `PTS ${pts} lies before DTS ${dts}`));
    }
    const now = this.#clock.last;
    if (now === undefined) return;
    report.margin = Math.min(report.margin, clockDistance(Math.floor(now / PCR_PER_TICK), dts));
  }

  /** Frames must fill their packet. */
  #adts(data: Uint8Array): void {
    try {
      let at = 0;
      while (at + ADTS_HEADER_BYTES <= data.length) at += parseAdtsHeader(data, at).frameBytes;
      if (at === data.length) return;
      const message = `ADTS frames of ${at} bytes in a PES packet of ${data.length}`;
      this.#fault(new ParseError('FRAME_MALFORMED', 'ISO/IEC 14496-3 §1.A.2.2', message));
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#fault(error);
    }
  }

  #fault(error: ParseError): void {
    this.#faultCount++;
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(error);
  }
}

/** Measures a whole transport stream. */
export function inspectTs(bytes: Uint8Array): TsReport {
  const inspector = new TsInspector();
  inspector.push(bytes);
  return inspector.end();
}

function newReport(pid: number, streamType: number): TsStreamReport {
  return {
    pid,
    streamType,
    units: 0,
    randomAccess: 0,
    damaged: 0,
    bytes: 0,
    firstPts: undefined,
    lastPts: undefined,
    firstDts: undefined,
    lastDts: undefined,
    longestStep: 0,
    backwards: 0,
    margin: Number.POSITIVE_INFINITY,
  };
}
