import { parseAdtsHeader } from '../../bitstream/index.ts';
import {
  clockDistance,
  inspectTs,
  MAX_CLOCK_STEP,
  PCR_PER_TICK,
  STREAM_TYPE,
  SYSTEM_TIMEBASE,
  TsInspector,
  type TsUnit,
} from '../../mpegts/index.ts';
import type { Timebase } from '../../time/index.ts';
import { type MeasuredMedia, type MeasuredSample, measureTrack } from './measure.ts';
import { type Fault, Faults } from './rule.ts';

/** Ticks of 90 kHz by which times and their differences are rounded. */
const SLACK = 2;
const BASE = { timebase: SYSTEM_TIMEBASE as Timebase };
const VIDEO = new Set<number>([STREAM_TYPE.h264, STREAM_TYPE.hevc]);
const AUDIO = new Set<number>([
  STREAM_TYPE.adts,
  STREAM_TYPE.mpeg1Audio,
  STREAM_TYPE.mpeg2Audio,
  STREAM_TYPE.ac3,
  STREAM_TYPE.eac3,
]);

/** Measures MPEG-TS segments of one rendition; times of 33 bits are unwrapped near those of the first. */
export class MpegTsMeasurer {
  #reference: number | undefined;

  /** What `bytes`, a segment of whole packets, hold. The last picture is taken to last as long as those before it. */
  measure(bytes: Uint8Array): MeasuredMedia {
    const units = new Map<number, TsUnit[]>();
    const inspector = new TsInspector((unit) => {
      units.set(unit.pid, [...(units.get(unit.pid) ?? []), unit]);
    });
    inspector.push(bytes);
    inspector.end();
    const tracks = [...units.values()].flatMap((list) => {
      const type = list[0]!.streamType;
      const kind = VIDEO.has(type) ? 'video' : AUDIO.has(type) ? 'audio' : undefined;
      const samples = kind === undefined ? [] : this.#samples(list, kind);
      return kind === undefined || samples.length === 0
        ? []
        : [measureTrack({ kind, ...BASE }, samples, SLACK)];
    });
    return { bytes: bytes.length, tracks };
  }

  #samples(units: readonly TsUnit[], kind: 'video' | 'audio'): MeasuredSample[] {
    const timed = units.flatMap(({ header: { pts, dts = pts }, data, randomAccess, streamType }) => {
      if (pts === undefined || dts === undefined) return [];
      this.#reference ??= dts;
      const at = this.#reference + clockDistance(this.#reference, dts);
      const counted = streamType === STREAM_TYPE.adts ? adtsTicks(data) : undefined;
      const keyframe = kind === 'audio' || randomAccess;
      return [{ dts: at, pts: at + clockDistance(dts, pts), duration: counted, keyframe, data }];
    });
    const steps = timed.length - 1;
    const mean = steps < 1 ? 0 : Math.round((timed[steps]!.dts - timed[0]!.dts) / steps);
    return timed.map(({ duration, ...sample }, i) => ({
      ...sample,
      duration: duration ?? (i < steps ? timed[i + 1]!.dts - sample.dts : mean),
    }));
  }
}

/** Ticks that the ADTS frames of a PES packet last. */
function adtsTicks(data: Uint8Array): number {
  let ticks = 0;
  for (let at = 0; at < data.length; ) {
    const { frameBytes, rawBlocks, sampleRate } = parseAdtsHeader(data, at);
    ticks += (rawBlocks * 1024 * SYSTEM_TIMEBASE) / sampleRate;
    at += frameBytes;
  }
  return ticks;
}

/** What is wrong with the packets, tables and clock of one segment. */
export function checkTransportStream(uri: string, bytes: Uint8Array): Fault[] {
  const faults = new Faults();
  const { faults: found, clock, streams, programs } = inspectTs(bytes);
  for (const { message, clause } of found) faults.of('transport-stream')(clause, `${uri}: ${message}`);
  if (bytes.length % 188 !== 0) faults.add('transport-stream', `${uri}: ends within a packet`);
  if (programs.length !== 1) faults.add('transport-stream', `${uri}: ${programs.length} program maps`);
  const step = clock.longestStep / PCR_PER_TICK;
  if (clock.count === 0) faults.add('transport-stream', `${uri}: no clock reference`);
  if (step > MAX_CLOCK_STEP || clock.backwards > 0) {
    const ms = (step / 90).toFixed(1);
    faults.add(
      'transport-stream',
      `${uri}: clock references up to ${ms} ms apart, ${clock.backwards} go back`,
    );
  }
  for (const { pid, damaged, backwards, margin } of streams) {
    if (damaged > 0) faults.add('transport-stream', `${uri}: PID ${pid} has ${damaged} damaged units`);
    if (backwards > 0) faults.add('transport-stream', `${uri}: PID ${pid} goes back ${backwards} times`);
    if (margin <= 0)
      faults.add('transport-stream', `${uri}: PID ${pid} comes ${-margin} ticks after its time`);
  }
  return faults.list;
}
