import { type AmfValue, amfProperties } from '../amf/index.ts';
import { BLOCK_BYTES, type BlockReader } from '../file/index.ts';
import {
  FlvReader,
  METADATA,
  parseAudioBody,
  parseScriptBody,
  parseVideoBody,
  TAG_HEADER_BYTES,
  TAG_TRAILER_BYTES,
  type Tag,
  TagDemuxer,
} from '../flv/index.ts';
import { ParseError, type Sample, type Track } from '../model/index.ts';
import {
  PACKET_BYTES,
  SYSTEM_TIMEBASE,
  TsDemuxer,
  TsInspector,
  type TsReport,
  TsSampleReader,
} from '../mpegts/index.ts';
import { describeRow, ElementLister, type ElementRow, type TrackEntry, WebmDemuxer } from '../webm/index.ts';
import type { Inquiry } from './inquiry.ts';
import type { TrackFacts, TrackMeter } from './track-meter.ts';

/** Bytes of an FLV file in front of its first tag. */
const FLV_HEADER_BYTES = 13;
/** Largest distance between two clock references, in ticks of 27 MHz: 100 ms. ISO/IEC 13818-1 §2.7.2. */
const MAX_CLOCK_STEP = 2_700_000;
/** Octets of a block of a track below 128 in front of its frame. */
const BLOCK_HEADER_BYTES = 4;
const OUR_CODECS = /^[AV]_(?:VP8|VP9|AV1|MPEG4|MPEGH|MPEGI|OPUS|AAC|MPEG\/L3|FLAC|AC3|EAC3)/;
/** Faults that are remembered, so that two readers of the same bytes do not tell them twice. */
const MAX_REMEMBERED = 1000;

/** Hands all of a file to `push` in pieces. */
async function pour(
  reader: BlockReader,
  inquiry: Inquiry,
  push: (bytes: Uint8Array) => void,
): Promise<number> {
  for (let at = 0; ; ) {
    const bytes = await reader.read(at, BLOCK_BYTES);
    if (bytes.length === 0) return at;
    push(bytes);
    at += bytes.length;
    inquiry.progress(at);
  }
}

/** Counts the samples of tracks as demuxers hand them out. */
class Counter {
  readonly #inquiry: Inquiry;
  readonly #meters = new Map<number, TrackMeter>();

  constructor(inquiry: Inquiry) {
    this.#inquiry = inquiry;
  }

  track({ id, timebase, parameters, language }: Track): void {
    const facts: TrackFacts = {
      id,
      kind: parameters.kind === 'data' ? 'other' : parameters.kind,
      timebase,
      parameters,
      format: parameters.codec,
      language,
    };
    this.#meters.set(id, this.#inquiry.track(facts));
  }

  sample({ track, dts, pts, duration, keyframe, data }: Sample): void {
    const meter = this.#meters.get(track.id);
    if (meter !== undefined) this.#inquiry.sample(meter, { dts, pts, duration, keyframe, size: data.length });
  }
}

/** Reads an FLV file tag by tag. */
export async function inspectFlv(reader: BlockReader, inquiry: Inquiry): Promise<void> {
  const { findings } = inquiry;
  const counter = new Counter(inquiry);
  const demuxer = new TagDemuxer({
    onTrack: (track) => counter.track(track),
    onSample: (sample) => counter.sample(sample),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  const tags = new FlvReader();
  let at = 0;
  let broken = false;
  const end = await pour(reader, inquiry, (bytes) => {
    if (broken) return;
    tags.push(bytes);
    for (;;) {
      const before = findings.count;
      const item = findings.attempt(at, () => tags.next());
      broken = findings.count > before;
      if (item === undefined) return;
      if (item.kind === 'header') {
        const detail = `audio=${item.audio} video=${item.video}`;
        inquiry.node({ depth: 0, name: 'FLV', offset: 0, size: FLV_HEADER_BYTES, headerBytes: 9, detail });
        at = FLV_HEADER_BYTES;
        continue;
      }
      const { tag } = item;
      const size = TAG_HEADER_BYTES + tag.body.length + TAG_TRAILER_BYTES;
      const said = findings.attempt(at, () => tagDetail(tag));
      const detail = said ?? `time=${tag.timestampMs}`;
      inquiry.node({ depth: 0, name: tag.type, offset: at, size, headerBytes: TAG_HEADER_BYTES, detail });
      if (said !== undefined) findings.attempt(at, () => demuxer.push(tag));
      at += size;
    }
  });
  if (!broken && (tags.buffered > 0 || (at < end && at > 0) || end === 0)) {
    findings.say('error', 'BYTES_OUT_OF_RANGE/tag', {}, Math.min(at, end));
  }
}

function tagDetail(tag: Tag): string {
  const { type, timestampMs, body } = tag;
  const time = `time=${timestampMs}`;
  if (type === 'script') {
    const { name, values } = parseScriptBody(body);
    return `${time} name=${name}${name === METADATA ? metadataDetail(values[0]) : ''}`;
  }
  if (type === 'audio') {
    const texts = parseAudioBody(body).map(
      ({ kind, codec, trackId }) => `kind=${kind} codec=${codec}${number(trackId)}`,
    );
    return `${time} ${texts.join(' ') || 'empty'}`;
  }
  const first = (body[0] ?? 0) >> 4;
  const key = (first & 7) === 1;
  const texts = parseVideoBody(body).map((message) => {
    const shift = message.kind === 'frame' ? ` composition=${message.compositionMs}` : '';
    return `kind=${message.kind} codec=${message.codec}${number(message.trackId)} key=${key}${shift}`;
  });
  return `${time} ${texts.join(' ') || 'empty'}`;
}

const number = (trackId: number): string => (trackId === 0 ? '' : ` track=${trackId}`);

function metadataDetail(value: AmfValue): string {
  const told = Object.entries(amfProperties(value) ?? {}).filter(([, field]) =>
    ['number', 'string', 'boolean'].includes(typeof field),
  );
  return told
    .slice(0, 32)
    .map(([name, field]) => ` ${name.slice(0, 40)}=${String(field).slice(0, 80).replaceAll(/\s/g, '_')}`)
    .join('');
}

/** Reads a WebM or Matroska file element by element. */
export async function inspectWebm(reader: BlockReader, inquiry: Inquiry): Promise<void> {
  const { findings } = inquiry;
  const counter = new Counter(inquiry);
  const told = new Set<string>();
  const fault = (error: ParseError): void => {
    const key = `${error.code} ${error.offset}`;
    if (told.has(key)) return;
    if (told.size < MAX_REMEMBERED) told.add(key);
    findings.parse(error, undefined, error.code === 'WEBM_CODEC_UNSUPPORTED' ? 'warning' : 'error');
  };
  const strangers = new Strangers(inquiry);
  const lister = new ElementLister({
    onRow: (row) => {
      const { depth, name, offset, headerBytes, size } = row;
      const detail = describeRow(row)
        .split(' ')
        .slice(size === undefined ? 3 : 2)
        .join(' ');
      const total = size === undefined ? undefined : headerBytes + size;
      inquiry.node({ depth, name, offset, size: total, headerBytes, detail });
      strangers.row(row);
    },
    onFault: fault,
  });
  const demuxer = new WebmDemuxer({
    onTrack: (track) => counter.track(track),
    onSample: (sample) => counter.sample(sample),
    onInit: ({ entries }) => strangers.begin(entries),
    onFault: fault,
  });
  let broken = false;
  await pour(reader, inquiry, (bytes) => {
    lister.push(bytes);
    if (broken) return;
    try {
      demuxer.push(bytes);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      broken = true;
      fault(error);
    }
  });
  lister.end();
  demuxer.end();
}

/** Tracks whose codecs are not ours are named and counted all the same, from their blocks. */
class Strangers {
  readonly #inquiry: Inquiry;
  readonly #meters = new Map<number, TrackMeter>();
  #cluster = 0;

  constructor(inquiry: Inquiry) {
    this.#inquiry = inquiry;
  }

  begin(entries: readonly TrackEntry[]): void {
    for (const { number, type: kind, codecId: format, language } of entries) {
      if (OUR_CODECS.test(format)) continue;
      const facts = { id: 1000 + number, kind, timebase: 1000, parameters: undefined, format, language };
      this.#meters.set(number, this.#inquiry.track(facts));
    }
  }

  row({ name, value, block, size }: ElementRow): void {
    if (name === 'Timestamp' && typeof value === 'number') this.#cluster = value;
    const meter = block === undefined ? undefined : this.#meters.get(block.trackNumber);
    if (block === undefined || meter === undefined) return;
    const time = this.#cluster + block.relativeTime;
    const mark = { dts: time, pts: time, duration: undefined, keyframe: block.keyframe };
    this.#inquiry.sample(meter, { ...mark, size: Math.max(0, (size ?? 0) - BLOCK_HEADER_BYTES) });
  }
}

/** Reads a transport stream packet by packet. */
export async function inspectMpegts(reader: BlockReader, inquiry: Inquiry, packets: boolean): Promise<void> {
  const { findings } = inquiry;
  const counter = new Counter(inquiry);
  const lister = packets
    ? new TsDemuxer({
        packet: ({ pid, start, continuity, pcr, randomAccess, discontinuity, hasPayload }, offset) => {
          const flags = `${start ? ' start' : ''}${randomAccess ? ' random-access' : ''}${discontinuity ? ' discontinuity' : ''}`;
          const clock = pcr === undefined ? '' : ` pcr=${pcr}`;
          const detail = `continuity=${continuity} payload=${hasPayload}${flags}${clock}`;
          inquiry.node({ depth: 0, name: `PID ${pid}`, offset, size: PACKET_BYTES, headerBytes: 4, detail });
        },
      })
    : undefined;
  const inspector = new TsInspector();
  const samples = new TsSampleReader({
    track: (track) => counter.track(track),
    sample: (sample) => counter.sample(sample),
    fault: (error) => {
      if (error.code === 'TS_CODEC_UNSUPPORTED') findings.parse(error, undefined, 'note');
      else if (!error.code.startsWith('TS_')) findings.parse(error, undefined);
    },
  });
  await pour(reader, inquiry, (bytes) => {
    lister?.push(bytes);
    inspector.push(bytes);
    samples.push(bytes);
  });
  samples.end();
  const report = inspector.end();
  for (const { streams } of report.programs) {
    for (const { pid: id, streamType } of streams) {
      if (inquiry.tracks.some(({ facts }) => facts.id === id)) continue;
      const format = `stream type 0x${streamType.toString(16).padStart(2, '0')}`;
      inquiry.track({ id, kind: 'other', timebase: SYSTEM_TIMEBASE, parameters: undefined, format });
    }
  }
  judgeTransport(report, inquiry);
}

function judgeTransport(report: TsReport, inquiry: Inquiry): void {
  const { findings } = inquiry;
  for (const error of report.faults) if (error.code !== 'FRAME_MALFORMED') findings.parse(error, undefined);
  const more = report.faultCount - report.faults.length;
  if (more > 0) findings.say('error', 'TS_LIMIT', { count: more });
  if (report.programs.length === 0) findings.say('error', 'TS_SECTION/none', {}, 0);
  const { longestStep, backwards, count } = report.clock;
  if (backwards > 0) findings.say('warning', 'clock-backwards', { count: backwards });
  if (longestStep > MAX_CLOCK_STEP) {
    findings.say('warning', 'clock-sparse', { ms: Math.round(longestStep / 27_000) });
  }
  if (count === 0 && report.programs.length > 0) findings.say('warning', 'clock-missing', {});
}
