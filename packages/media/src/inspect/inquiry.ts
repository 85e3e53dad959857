import { type FileFormat, FORMAT_NAMES } from '../file/index.ts';
import { CourseMeter } from './course.ts';
import { judgeTracks } from './judge.ts';
import { Findings, type Node, type Report } from './model.ts';
import { type SampleMark, type TrackFacts, TrackMeter } from './track-meter.ts';

/** Who follows an inspection while it goes on. */
export interface InspectHandler {
  /** Each box, element, tag or packet in the order of the file. */
  onNode?(node: Node): void;
  /** Now and then; `report()` makes what is known so far. */
  onProgress?(bytes: number, report: () => Report): void;
}

/** What an inspection gathers; the readers of each format fill it. */
export class Inquiry {
  readonly findings = new Findings();
  readonly tracks: TrackMeter[] = [];
  format: FileFormat | undefined;
  fragmented: boolean | undefined;
  readonly #handler: InspectHandler;
  #nodes = 0;
  #origin: number | undefined;
  readonly #bitrate = new CourseMeter((a, b) => a + b);
  readonly #gop = new CourseMeter(Math.max);
  readonly #offset = new CourseMeter((_a, b) => b);

  constructor(handler: InspectHandler) {
    this.#handler = handler;
  }

  node(node: Node): void {
    this.#nodes++;
    this.#handler.onNode?.(node);
  }

  /** A track begins, or goes on with other parameters. */
  track(facts: TrackFacts): TrackMeter {
    const known = this.tracks.find((meter) => meter.facts.id === facts.id);
    if (known !== undefined) {
      if (known.facts.parameters !== undefined && known.samples > 0) {
        const values = { track: facts.id, at: String(known.lastPts?.toFixed(3)) };
        this.findings.say('note', 'parameters-change', values, undefined, facts.id);
      }
      known.facts = { ...facts, timebase: known.samples > 0 ? known.facts.timebase : facts.timebase };
      return known;
    }
    const meter = new TrackMeter(facts);
    this.tracks.push(meter);
    return meter;
  }

  sample(meter: TrackMeter, mark: SampleMark): void {
    const ended = meter.push(mark);
    const dts = meter.seconds(mark.dts);
    this.#origin ??= dts;
    const time = dts - this.#origin;
    this.#bitrate.add(time, mark.size);
    if (ended !== undefined) this.#gop.add(time, ended);
    if (meter.facts.kind === 'audio') {
      const picture = this.tracks.find(({ facts }) => facts.kind === 'video')?.lastPts;
      if (picture !== undefined) this.#offset.add(time, meter.lastPts! - picture);
    }
  }

  progress(bytes: number): void {
    this.#handler.onProgress?.(bytes, () => this.report(undefined, bytes, true));
  }

  /** @param unfinished the file is still being read: nothing is judged yet. */
  report(size: number | undefined, bytesRead: number, unfinished = false): Report {
    const tracks = this.tracks.map((meter) => meter.report());
    if (!unfinished) judgeTracks(tracks, this.findings);
    const measured = tracks.filter(({ samples }) => samples > 0);
    const starts = measured.map(({ firstPts }) => firstPts ?? 0);
    const ends = measured.map(({ firstPts, duration }) => (firstPts ?? 0) + duration);
    const video = measured.find(({ kind }) => kind === 'video');
    const audio = measured.find(({ kind }) => kind === 'audio');
    const both = video !== undefined && audio !== undefined;
    const endOf = ({ firstPts = 0, duration }: (typeof tracks)[number]): number => firstPts + duration;
    return {
      format: this.format,
      ...(this.format === undefined ? {} : { formatName: FORMAT_NAMES[this.format] }),
      size,
      bytesRead,
      duration: measured.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts),
      ...(this.fragmented === undefined ? {} : { fragmented: this.fragmented }),
      tracks,
      findings: [...this.findings.list],
      findingCount: this.findings.count,
      nodeCount: this.#nodes,
      plots: {
        bitrate: this.#bitrate.course((bytes, step) => (bytes * 8) / step),
        gop: this.#gop.course(),
        offset: this.#offset.course(),
      },
      ...(both ? { startOffset: (audio.firstPts ?? 0) - (video.firstPts ?? 0) } : {}),
      ...(both ? { endOffset: endOf(audio) - endOf(video) } : {}),
    };
  }
}
