import type { CodecParameters } from '../model/index.ts';
import type { GopReport, TrackReport } from './model.ts';

/** A hole of more seconds between two samples is told. */
export const GAP_SECONDS = 0.5;

/** One sample as the inspector counts it. */
export interface SampleMark {
  /** Ticks. */
  readonly dts: number;
  readonly pts: number;
  readonly duration: number | undefined;
  readonly keyframe: boolean;
  readonly size: number;
}

/** What is known of a track before its samples. */
export interface TrackFacts {
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly timebase: number;
  /** Undefined for codecs that are not ours. */
  readonly parameters: CodecParameters | undefined;
  /** The file's name of the codec. */
  readonly format: string;
  readonly language?: string | undefined;
}

/** Measures a track from its samples in memory that does not grow. */
export class TrackMeter {
  facts: TrackFacts;
  #samples = 0;
  #keyframes = 0;
  #bytes = 0;
  #first: SampleMark | undefined;
  #last: SampleMark | undefined;
  /** Ticks: lowest and highest presentation, and the end of the highest. */
  #shown = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, end: Number.NEGATIVE_INFINITY };
  #reordered = false;
  #faults = { backwards: 0, gaps: 0 };
  readonly #gop = { count: 0, open: 0, since: 0, whole: 0, pictures: 0, shortest: 0, longest: 0, seconds: 0 };

  constructor(facts: TrackFacts) {
    this.facts = facts;
  }

  /** Seconds of ticks. */
  seconds(ticks: number): number {
    return ticks / this.facts.timebase;
  }

  /** Presentation of the latest sample in seconds. */
  get lastPts(): number | undefined {
    return this.#last === undefined ? undefined : this.seconds(this.#last.pts);
  }

  get samples(): number {
    return this.#samples;
  }

  /** Takes the next sample. @returns pictures of the group that ended with it, if one did. */
  push(mark: SampleMark): number | undefined {
    const before = this.#last;
    this.#samples++;
    this.#bytes += mark.size;
    this.#first ??= mark;
    if (before !== undefined) {
      if (mark.dts <= before.dts) this.#faults.backwards++;
      const end = before.dts + (before.duration ?? 0);
      if (before.duration !== undefined && this.seconds(mark.dts - end) > GAP_SECONDS) this.#faults.gaps++;
      if (before.duration === undefined && this.seconds(mark.dts - before.dts) > 2 * GAP_SECONDS) {
        this.#faults.gaps++;
      }
    }
    if (mark.pts < this.#shown.high) this.#reordered = true;
    this.#shown.low = Math.min(this.#shown.low, mark.pts);
    this.#shown.high = Math.max(this.#shown.high, mark.pts);
    this.#shown.end = Math.max(this.#shown.end, mark.pts + (mark.duration ?? 0));
    this.#last = mark;
    return this.facts.kind === 'video' ? this.#picture(mark) : undefined;
  }

  #picture({ keyframe, dts }: SampleMark): number | undefined {
    const gop = this.#gop;
    if (!keyframe) {
      gop.open++;
      return undefined;
    }
    this.#keyframes++;
    const ended = gop.count > 0 ? gop.open : undefined;
    if (ended !== undefined) {
      gop.whole++;
      gop.pictures += ended;
      gop.shortest = gop.whole === 1 ? ended : Math.min(gop.shortest, ended);
      gop.longest = Math.max(gop.longest, ended);
      gop.seconds = Math.max(gop.seconds, this.seconds(dts - gop.since));
    }
    gop.count++;
    gop.open = 1;
    gop.since = dts;
    return ended;
  }

  report(): TrackReport {
    const { id, kind, parameters, format, timebase, language } = this.facts;
    const first = this.#first;
    const last = this.#last;
    const span = this.#samples > 1 ? (last!.dts - first!.dts) / (this.#samples - 1) : 0;
    const unknown = last !== undefined && last.duration === undefined;
    const end = unknown ? Math.max(this.#shown.end, this.#shown.high + span) : this.#shown.end;
    const duration = first === undefined ? 0 : Math.max(0, this.seconds(end - this.#shown.low));
    const video = parameters?.kind === 'video';
    const audio = parameters?.kind === 'audio';
    return {
      id,
      kind,
      codec: parameters?.codec ?? format,
      codecString: video || audio ? parameters.codecString : undefined,
      ...(language === undefined ? {} : { language }),
      ...(video ? { width: parameters.width, height: parameters.height } : {}),
      ...(audio ? { sampleRate: parameters.sampleRate, channels: parameters.channels } : {}),
      timebase,
      samples: this.#samples,
      keyframes: kind === 'video' ? this.#keyframes : this.#samples,
      bytes: this.#bytes,
      duration,
      firstPts: first === undefined ? undefined : this.seconds(this.#shown.low),
      firstDts: first === undefined ? undefined : this.seconds(first.dts),
      lastPts: first === undefined ? undefined : this.seconds(this.#shown.high),
      bitrate: duration > 0 ? (this.#bytes * 8) / duration : 0,
      ...(kind === 'video' && duration > 0 ? { frameRate: this.#samples / duration } : {}),
      ...(kind === 'video' ? { bFrames: this.#reordered, gop: this.#gopReport() } : {}),
      backwards: this.#faults.backwards,
      gaps: this.#faults.gaps,
    };
  }

  #gopReport(): GopReport {
    const { count, open, whole, pictures, shortest, longest, seconds } = this.#gop;
    if (whole === 0) {
      const all = count > 0 ? open : 0;
      return { count, shortest: all, longest: all, average: all, longestSeconds: 0 };
    }
    return { count, shortest, longest, average: pictures / whole, longestSeconds: seconds };
  }
}
