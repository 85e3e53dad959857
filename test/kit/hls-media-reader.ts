import {
  checkMediaAnswer,
  checkPartContent,
  checkPartMedia,
  checkSegmentMedia,
  checkTransportStream,
  type Fault,
  type HlsAnswer,
  type HlsContainer,
  type InitMap,
  type MeasuredMedia,
  type MeasuredSegment,
  MpegTsMeasurer,
  measureFmp4,
  type Part,
  type Segment,
} from '@onair/media/hls';
import { type InitInfo, parseInit } from '@onair/media/isobmff';
import { askHls, resolveUri } from './hls-ask.ts';

/** Reads what a segment or part holds. `init` is undefined where there is no EXT-X-MAP. */
export type Measure = (bytes: Uint8Array, init: InitInfo | undefined) => MeasuredMedia;

/** How each container is read: what makes a reader for one rendition. */
export const MEASURES: Record<HlsContainer, () => Measure> = {
  fmp4: () => (bytes, init) => {
    if (init === undefined) throw new Error('no EXT-X-MAP in front of fMP4');
    return measureFmp4(bytes, init);
  },
  mpegts: () => {
    const measurer = new MpegTsMeasurer();
    return (bytes) => measurer.measure(bytes);
  },
};

/** Fetches the media of one rendition, each address once, and judges what it holds. */
export class HlsMediaReader {
  readonly segments = new Map<number, MeasuredSegment>();
  /** The init segment that was read last. */
  init: InitInfo | undefined;
  readonly #base: string;
  readonly #container: HlsContainer;
  readonly #read: Measure;
  readonly #found: (faults: readonly Fault[]) => void;
  readonly #bytes = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #inits = new Map<string, Promise<InitInfo | undefined>>();
  readonly #judged = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  /** @param base address of the playlist. */
  constructor(base: string, container: HlsContainer, found: (faults: readonly Fault[]) => void) {
    this.#base = base;
    this.#container = container;
    this.#found = found;
    this.#read = MEASURES[container]();
  }

  /** Segments by rising number. */
  get measured(): MeasuredSegment[] {
    return [...this.segments.values()].sort((a, b) => a.msn - b.msn);
  }

  /** Addresses that were fetched, absolute. */
  get fetched(): string[] {
    return [...this.#bytes.keys()].map((uri) => resolveUri(uri, this.#base));
  }

  /** Fetches and judges parts that are new. @param hinted the answer to a request made before, if there is one. */
  parts(
    parts: readonly Part[],
    map: InitMap | undefined,
    partTarget: number,
    hinted: (part: Part) => Promise<HlsAnswer | undefined> | undefined,
  ): void {
    for (const part of parts) {
      if (part.gap === true || this.#judged.has(part.uri)) continue;
      this.#judged.add(part.uri);
      this.#run(async () => {
        const media = await this.#measure([await this.#load(part.uri, hinted(part))], map);
        if (media !== undefined) this.#found(checkPartMedia(part, media, partTarget));
      });
    }
  }

  /** Fetches and judges a segment that is new. @param target seconds of EXT-X-TARGETDURATION. */
  segment(msn: number, segment: Segment, target: number): void {
    if (this.segments.has(msn)) return;
    this.segments.set(msn, { msn, segment, media: undefined });
    if (segment.gap === true) return;
    this.#run(async () => {
      const bytes = await this.#load(segment.uri);
      const media = await this.#measure([bytes], segment.map);
      if (bytes === undefined || media === undefined) return;
      if (this.#container === 'mpegts') this.#found(checkTransportStream(segment.uri, bytes));
      this.segments.set(msn, { msn, segment, media });
      this.#found(checkSegmentMedia(segment, media, target));
      if (segment.parts.length === 0) return;
      const pieces = await Promise.all(segment.parts.map(({ uri }) => this.#bytes.get(uri)));
      const joined = await this.#measure(pieces, segment.map);
      if (joined !== undefined) this.#found(checkPartContent(segment, media, joined));
    });
  }

  /** Returns when everything that was begun is judged. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => {
        this.#found([{ rule: 'text', severity: 'must', clause: 'ISO/IEC 14496-12', message: String(error) }]);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #load(uri: string, asked?: Promise<HlsAnswer | undefined>): Promise<Uint8Array | undefined> {
    const known = this.#bytes.get(uri);
    if (known !== undefined) return known;
    const loading = (async () => {
      const answer = (await asked) ?? (await askHls(resolveUri(uri, this.#base)));
      const faults = checkMediaAnswer(answer, this.#container);
      this.#found(faults);
      return answer.status === 200 ? answer.body : undefined;
    })();
    this.#bytes.set(uri, loading);
    return loading;
  }

  /** What `pieces` hold together, or undefined if one of them could not be had. */
  async #measure(
    pieces: readonly (Uint8Array | undefined)[],
    map: InitMap | undefined,
  ): Promise<MeasuredMedia | undefined> {
    const whole: Uint8Array[] = [];
    for (const piece of pieces) {
      if (piece === undefined) return undefined;
      whole.push(piece);
    }
    const init = map === undefined ? undefined : await this.#initOf(map);
    if (map !== undefined && init === undefined) return undefined;
    return this.#read(new Uint8Array(Buffer.concat(whole)), init);
  }

  #initOf({ uri }: InitMap): Promise<InitInfo | undefined> {
    let init = this.#inits.get(uri);
    if (init === undefined) {
      init = this.#load(uri).then((bytes) => {
        if (bytes !== undefined) this.init = parseInit(bytes);
        return this.init;
      });
      this.#inits.set(uri, init);
    }
    return init;
  }
}
