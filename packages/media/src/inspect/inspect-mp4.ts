import {
  type BlockReader,
  initParameters,
  SourceError,
  sampleTable,
  type TableEntry,
} from '../file/index.ts';
import { MAX_TABLE_BYTES, type Mp4Track, readMp4Tracks } from '../file/mp4-layout.ts';
import {
  BOX_CONTAINERS,
  boxBudget,
  MAX_BOX_DEPTH,
  MAX_BOXES,
  readBoxHeader,
  readMovieFragment,
} from '../isobmff/index.ts';
import { boxDetail, MAX_FIELD_BYTES } from './box-fields.ts';
import type { Inquiry } from './inquiry.ts';
import type { TrackMeter } from './track-meter.ts';

/** Largest first frame that is read to learn what its codec tells nowhere else, in bytes. */
const MAX_FIRST_BYTES = 1024 * 1024;
/** Containers that only the inspector opens. */
const MORE_CONTAINERS: Readonly<Record<string, number>> = {
  edts: 0,
  udta: 0,
  mfra: 0,
  meta: 4,
  sinf: 0,
  wave: 0,
  schi: 0,
};
/** Bytes of an AudioSampleEntry in front of its boxes. */
const SOUND_HEAD = 28;
/** Samples after which others get their turn. */
const TURN = 50_000;

interface Lane {
  readonly source: Mp4Track;
  readonly meter: TrackMeter;
}

/** Box, where it ends and whether all of it is there. */
interface Found {
  readonly type: string;
  readonly at: number;
  readonly size: number;
  readonly whole: boolean;
}

/** Reads the boxes of an MP4 file, whole or not, without its media. */
export class Mp4Inspector {
  readonly #reader: BlockReader;
  readonly #inquiry: Inquiry;
  #boxes = 0;
  #lanes: Lane[] | undefined;
  #moov: number | undefined;
  #media: number | undefined;
  #fragments = 0;

  constructor(reader: BlockReader, inquiry: Inquiry) {
    this.#reader = reader;
    this.#inquiry = inquiry;
  }

  async run(): Promise<void> {
    await this.#walk(0, Number.POSITIVE_INFINITY, 0);
    const { findings } = this.#inquiry;
    const end = this.#reader.end ?? 0;
    if (this.#moov === undefined && this.#fragments === 0) {
      findings.say('error', 'MP4_BOX_MISSING/moov', {}, end);
      return;
    }
    if (this.#lanes !== undefined && this.#fragments === 0) await this.#tables();
    this.#say();
  }

  /** Reads the boxes from `at` to `end`; ends where they make no sense. */
  async #walk(from: number, end: number, depth: number): Promise<void> {
    const { findings } = this.#inquiry;
    for (let at = from; at < end; ) {
      const head = await this.#reader.read(at, Math.min(16, end - at));
      if (head.length === 0 && depth === 0) return this.#ended(at);
      if (++this.#boxes > MAX_BOXES) {
        return findings.say('error', 'MP4_BOX_COUNT/more', { most: MAX_BOXES }, at);
      }
      const header = findings.attempt(at, () => readBoxHeader(head, 0));
      if (header === undefined) {
        if (head.length < 8 || (head.length < 16 && head[3] === 1)) {
          findings.say('error', 'MP4_BOX_SIZE/rest', { bytes: head.length }, at);
        }
        return;
      }
      const { type, headerSize } = header;
      const limit = depth === 0 ? (this.#reader.end ?? Number.POSITIVE_INFINITY) : end;
      const size = header.size === 0 ? limit - at : header.size;
      const whole = at + size <= limit;
      if (!whole) {
        const values = { box: JSON.stringify(type), bytes: size, left: limit - at };
        findings.say('error', depth === 0 ? 'MP4_BOX_SIZE/file' : 'MP4_BOX_SIZE/box', values, at);
      }
      await this.#box({ type, at, size, whole }, headerSize, Math.min(at + size, limit), depth);
      if (!whole) return;
      at += size;
      if (depth === 0) this.#inquiry.progress(Math.min(at, this.#reader.end ?? at));
    }
  }

  /** A stream whose length is known only now may end within a box that was passed over. */
  #ended(at: number): void {
    const end = this.#reader.end;
    if (end === undefined || at <= end) return;
    this.#inquiry.findings.say('error', 'MP4_BOX_SIZE/last', {}, end);
  }

  async #box(found: Found, headerSize: number, end: number, depth: number): Promise<void> {
    const { type, at, size, whole } = found;
    const { findings } = this.#inquiry;
    const body = at + headerSize;
    const inside = await this.#before(type, body, end);
    let detail = '';
    if (inside === undefined || inside > 0) {
      const wanted = Math.min(inside ?? MAX_FIELD_BYTES, end - body);
      const long = end - body > MAX_FIELD_BYTES;
      const skipped = type === 'mdat' || type === 'free' || type === 'skip';
      const bytes = skipped ? new Uint8Array(0) : await this.#reader.read(body, long ? 64 : wanted);
      if (whole && !(long && type === 'trun') && !skipped) {
        detail = findings.attempt(at, () => boxDetail(type, bytes)) ?? '';
      }
    }
    const listed = Number.isFinite(size) ? size : undefined;
    this.#inquiry.node({ depth, name: type, offset: at, size: listed, headerBytes: headerSize, detail });
    if (inside !== undefined && depth < MAX_BOX_DEPTH) await this.#walk(body + inside, end, depth + 1);
    if (depth > 0) return;
    if (type === 'mdat') this.#media ??= at;
    if (type === 'moov' && this.#moov === undefined) {
      this.#moov = at;
      if (whole) await this.#tracks(found);
    }
    if (type === 'moof') {
      this.#fragments++;
      if (whole) await this.#fragment(found);
    }
  }

  /** Bytes in a container's body before its first box; undefined for other boxes. */
  async #before(type: string, body: number, end: number): Promise<number | undefined> {
    const bytes = BOX_CONTAINERS[type] ?? MORE_CONTAINERS[type];
    if (bytes !== SOUND_HEAD || end - body < SOUND_HEAD) return bytes;
    // Version 1 of QuickTime's sound description has four fields more.
    const version = await this.#reader.read(body + 8, 2);
    return version[1] === 1 ? SOUND_HEAD + 16 : SOUND_HEAD;
  }

  /** A whole box that is not too large to be held. */
  async #load({ type, at, size }: Found): Promise<Uint8Array | undefined> {
    if (size <= MAX_TABLE_BYTES) return this.#reader.read(at, size);
    const values = { box: type, bytes: size, most: MAX_TABLE_BYTES };
    this.#inquiry.findings.say('warning', 'MP4_BOX_SIZE/large', values, at);
    return undefined;
  }

  async #tracks(found: Found): Promise<void> {
    const moov = await this.#load(found);
    if (moov === undefined) return;
    const { findings } = this.#inquiry;
    const sources = findings.attempt(found.at, () => readMp4Tracks(moov));
    this.#inquiry.fragmented = sources?.some(({ init }) => init.defaults !== undefined) ?? false;
    this.#lanes = (sources ?? []).map((source) => ({
      source,
      meter: this.#announce(source, found.at, undefined),
    }));
  }

  #announce({ init }: Mp4Track, offset: number, first: Uint8Array | undefined): TrackMeter {
    const { trackId: id, kind, timebase, format, language } = init;
    const parameters = this.#inquiry.findings.attempt(offset, () => initParameters(init, first));
    return this.#inquiry.track({ id, kind, timebase, format, language, parameters });
  }

  /** Some codecs tell their parameters in frames alone. */
  async #learn(
    { source, meter }: Lane,
    first: { readonly offset: number; readonly size: number },
  ): Promise<void> {
    if (meter.facts.parameters !== undefined || source.init.codec === undefined) return;
    if (first.size === 0 || first.size > MAX_FIRST_BYTES) return;
    try {
      this.#announce(source, first.offset, await this.#reader.read(first.offset, first.size));
    } catch (error) {
      // A stream that only goes forwards has passed it.
      if (!(error instanceof SourceError)) throw error;
    }
  }

  async #fragment(found: Found): Promise<void> {
    const moof = await this.#load(found);
    const lanes = this.#lanes ?? [];
    this.#inquiry.fragmented = true;
    if (moof === undefined) return;
    const { findings } = this.#inquiry;
    const defaults = lanes.map(({ source }) => source.init.defaults);
    const fragment = findings.attempt(found.at, () => readMovieFragment(moof, found.at, defaults));
    for (const { trackId, samples } of fragment?.tracks ?? []) {
      const lane = lanes.find(({ source }) => source.init.trackId === trackId);
      if (lane === undefined) {
        if (this.#lanes === undefined) continue;
        findings.say('error', 'MP4_TRACKS/unknown', { track: trackId }, found.at);
        continue;
      }
      const first = samples[0];
      if (first !== undefined) await this.#learn(lane, first);
      for (const entry of samples) if (!this.#sample(lane, entry)) break;
    }
  }

  /** Counts a sample; false if the file does not have it. */
  #sample({ source, meter }: Lane, entry: TableEntry): boolean {
    const end = this.#reader.end;
    if (end !== undefined && entry.offset + entry.size > end) {
      const { id } = meter.facts;
      const place = { sample: meter.samples + 1, track: id, offset: entry.offset, bytes: entry.size };
      this.#inquiry.findings.say('error', 'MP4_RUN/beyond', place, Math.min(entry.offset, end), id);
      return false;
    }
    const { dts, pts, duration, keyframe, size } = entry;
    const { shift } = source;
    this.#inquiry.sample(meter, { dts: dts + shift, pts: pts + shift, duration, keyframe, size });
    return true;
  }

  /** Walks the sample tables of all tracks in the order of the file. */
  async #tables(): Promise<void> {
    const { findings } = this.#inquiry;
    const offset = this.#moov;
    const end = this.#reader.end ?? Number.POSITIVE_INFINITY;
    const heads = (this.#lanes ?? []).map((lane) => {
      const entries = sampleTable(lane.source.stbl, boxBudget());
      const next = (): TableEntry | undefined => findings.attempt(offset, () => entries.next().value);
      return { lane, next, entry: next() };
    });
    for (const { lane, entry } of heads) if (entry !== undefined) await this.#learn(lane, entry);
    let claimed = 0;
    for (let count = 1; ; count++) {
      let first: (typeof heads)[number] | undefined;
      for (const head of heads) {
        if (
          head.entry !== undefined &&
          (first?.entry === undefined || head.entry.offset < first.entry.offset)
        ) {
          first = head;
        }
      }
      if (first?.entry === undefined) return;
      claimed += first.entry.size;
      if (claimed > end) {
        // Else a few bytes of tables could cost any amount of work.
        return findings.say('error', 'MP4_RUN/overlap', {}, offset);
      }
      first.entry = this.#sample(first.lane, first.entry) ? first.next() : undefined;
      if (count % TURN === 0) await Promise.resolve();
    }
  }

  #say(): void {
    const { findings } = this.#inquiry;
    if (this.#fragments > 0 || this.#inquiry.fragmented === true) {
      findings.say('note', 'fragmented', { fragments: this.#fragments }, this.#moov);
      return;
    }
    findings.say('note', 'not-fragmented', {}, this.#moov);
    if (this.#media !== undefined && this.#moov !== undefined && this.#media < this.#moov) {
      findings.say('warning', 'moov-last', {}, this.#moov);
    }
  }
}
