import { readClockSei } from '@onair/contracts/burnt-clock';
import type { Sample, Track } from '@onair/media/model';

/** A step between decoding times is a gap if it is longer than the usual one by this factor … */
const GAP_FACTOR = 2.5;
/** … and than this, in milliseconds. */
const LEAST_GAP_MS = 50;
/** For so long from the first frame on, in milliseconds, frames may come from a server's cache and be old. */
const SETTLE_MS = 1000;

/** What was seen of a stream between two reports and since its start. Times are in milliseconds. */
export interface StatsReport {
  /** Since the request was made. */
  readonly elapsedMs: number;
  /** From the request to the first video frame that can be decoded; null until then. */
  readonly firstFrameMs: number | null;
  /** Received in this interval, all bytes of the connection counted. */
  readonly kbitPerSecond: number;
  /** Video frames in this interval. */
  readonly framesPerSecond: number;
  /** Since the start. */
  readonly bytes: number;
  readonly frames: number;
  readonly keyframes: number;
  readonly audioFrames: number;
  /** Steps of decoding time that leave something out, in all tracks since the start. */
  readonly gaps: number;
  /** The longest of them. */
  readonly longestGapMs: number;
  /** Decoding times that did not rise. */
  readonly stepsBack: number;
  /**
   * Age of the video frames of this interval at their arrival, by the clock they carry; null without one.
   * The first second, in which a server sends what it has kept, does not count.
   */
  readonly latencyMs: { readonly least: number; readonly mean: number; readonly most: number } | null;
  /** `video h264 avc1.42c01e 640x360`, `audio aac mp4a.40.2 48000 Hz`. */
  readonly tracks: readonly string[];
}

/** Counts what a viewer gets. All clocks are passed in. */
export class StreamStats {
  readonly #startMs: number;
  readonly #tracks = new Map<number, { readonly track: Track; lastDts: number; usual: number | undefined }>();
  readonly #totals = {
    bytes: 0,
    frames: 0,
    keyframes: 0,
    audioFrames: 0,
    gaps: 0,
    longestGapMs: 0,
    stepsBack: 0,
  };
  #firstFrameMs: number | null = null;
  #settledMs: number | undefined; // from when on latency counts
  #interval: { startMs: number; bytes: number; frames: number; ages: number[] };

  /** @param nowMs monotonic, when the request is made. */
  constructor(nowMs: number) {
    this.#startMs = nowMs;
    this.#interval = { startMs: nowMs, bytes: 0, frames: 0, ages: [] };
  }

  /** Bytes arrived. */
  bytes(count: number): void {
    this.#totals.bytes += count;
    this.#interval.bytes += count;
  }

  /** A sample arrived. @param nowMs monotonic. @param wallMs since 1970-01-01T00:00:00Z. */
  sample(sample: Sample, nowMs: number, wallMs: number): void {
    this.#step(sample);
    if (sample.track.parameters.kind === 'audio') this.#totals.audioFrames++;
    if (sample.track.parameters.kind !== 'video') return;
    this.#totals.frames++;
    this.#interval.frames++;
    if (sample.keyframe) {
      this.#totals.keyframes++;
      this.#firstFrameMs ??= nowMs - this.#startMs;
    }
    this.#settledMs ??= nowMs + SETTLE_MS;
    if (nowMs < this.#settledMs) return;
    const us = sample.track.parameters.codec === 'h264' ? readClockSei(sample.data) : undefined;
    if (us !== undefined) this.#interval.ages.push(wallMs - us / 1000);
  }

  /** What was seen; the next interval begins. @param nowMs monotonic. */
  report(nowMs: number): StatsReport {
    const { startMs, bytes, frames, ages } = this.#interval;
    const seconds = Math.max(nowMs - startMs, 1) / 1000;
    this.#interval = { startMs: nowMs, bytes: 0, frames: 0, ages: [] };
    return {
      elapsedMs: Math.round(nowMs - this.#startMs),
      firstFrameMs: this.#firstFrameMs === null ? null : round(this.#firstFrameMs),
      kbitPerSecond: round((bytes * 8) / 1000 / seconds),
      framesPerSecond: round(frames / seconds),
      ...this.#totals,
      longestGapMs: round(this.#totals.longestGapMs),
      latencyMs: spread(ages),
      tracks: [...this.#tracks].sort(([a], [b]) => a - b).map(([, { track }]) => describeTrack(track)),
    };
  }

  /** Judges the step from the previous sample of the track. */
  #step({ track, dts }: Sample): void {
    const known = this.#tracks.get(track.id);
    if (known === undefined || known.track.timebase !== track.timebase) {
      this.#tracks.set(track.id, { track, lastDts: dts, usual: undefined });
      return;
    }
    const stepMs = ((dts - known.lastDts) * 1000) / track.timebase;
    if (stepMs <= 0) this.#totals.stepsBack++;
    else if (known.usual !== undefined && stepMs > Math.max(known.usual * GAP_FACTOR, LEAST_GAP_MS)) {
      this.#totals.gaps++;
      this.#totals.longestGapMs = Math.max(this.#totals.longestGapMs, stepMs);
    } else known.usual = known.usual === undefined ? stepMs : known.usual + (stepMs - known.usual) / 8;
    this.#tracks.set(track.id, { track, lastDts: dts, usual: known.usual });
  }
}

/** A report as one line for a person. */
export function statsLine(report: StatsReport): string {
  const { latencyMs, firstFrameMs } = report;
  const parts = [
    `${(report.elapsedMs / 1000).toFixed(0)} s`,
    `${report.kbitPerSecond.toFixed(0)} kbit/s`,
    `${report.framesPerSecond.toFixed(1)} fps`,
    `${report.frames} frames`,
    `${report.keyframes} key`,
    `gaps ${report.gaps}${report.gaps > 0 ? ` (longest ${report.longestGapMs.toFixed(0)} ms)` : ''}`,
    firstFrameMs === null ? 'no picture yet' : `first frame ${firstFrameMs.toFixed(0)} ms`,
  ];
  if (report.stepsBack > 0) parts.push(`${report.stepsBack} steps back`);
  if (latencyMs !== null) {
    parts.push(
      `latency ${latencyMs.mean.toFixed(0)} ms (${latencyMs.least.toFixed(0)} to ${latencyMs.most.toFixed(0)})`,
    );
  }
  return parts.join(' · ');
}

function spread(values: readonly number[]): StatsReport['latencyMs'] {
  if (values.length === 0) return null;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
  }
  return { least: round(least), mean: round(sum / values.length), most: round(most) };
}

function describeTrack({ parameters }: Track): string {
  switch (parameters.kind) {
    case 'video':
      return `video ${parameters.codec} ${parameters.codecString} ${parameters.width}x${parameters.height}`;
    case 'audio':
      return `audio ${parameters.codec} ${parameters.codecString} ${parameters.sampleRate} Hz`;
    case 'data':
      return 'events';
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
