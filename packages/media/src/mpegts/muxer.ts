import { ParseError } from '../model/errors.ts';
import { rescale, type Ticks, type Timebase } from '../time/index.ts';
import { type AudioFraming, type AudioRun, audioFraming, audioRuns, putAudioRun } from './audio-unit.ts';
import { PCR_PER_TICK, SYSTEM_TIMEBASE } from './clock.ts';
import {
  MAX_METADATA_BYTES,
  type TsMedia,
  type TsMetadata,
  type TsSample,
  type TsTracks,
} from './mux-input.ts';
import { PACKET_BYTES, PACKET_ROOM, PAT_PID } from './packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { pesHeaderBytes, putPesHeader } from './pes.ts';
import { MUX_PID, PROGRAM, programOf } from './program.ts';
import { STREAM_ID } from './stream-type.ts';
import { type TsProgramMap, writePat, writePmt } from './tables.ts';
import { putVideoUnit, type VideoFraming, videoFraming, videoUnitBytes } from './video-unit.ts';

/** Ticks of 90 kHz that are added to all times, so that the clock does not begin below zero: 10 s. */
export const TS_TIME_OFFSET = 900_000;
/** Most ticks of 90 kHz from one clock reference to the next: 40 ms. */
export const MAX_CLOCK_STEP = 3_600;
/** Ticks of 90 kHz that the clock is behind the decoding times: 300 ms, in which a decoder's buffer fills. */
export const CLOCK_DELAY = 27_000;

/** Ticks within which the bytes of a unit arrive, however long until the next. */
const ARRIVAL = 5 * MAX_CLOCK_STEP;
/** A hole of more ticks is not filled with clock references: 10 s. */
const MAX_HOLE = 900_000;
/** Audio may lie so much before the first picture of a segment and still come behind it: 100 ms. */
const PICTURE_FIRST = 9_000;
/** Ticks from one set of tables to the next at least, where keyframes come often: 500 ms. */
const TABLES_AGAIN = 45_000;

/** Bytes that come to a picture and to a frame of audio: headers, delimiter, clock. */
const VIDEO_OVERHEAD = 33;
const AUDIO_OVERHEAD = 7;

interface Lanes {
  readonly tracks: TsTracks;
  readonly video: VideoFraming | undefined;
  readonly audio: AudioFraming | undefined;
  readonly program: TsProgramMap;
  readonly pat: Uint8Array;
  readonly pmt: Uint8Array;
}

/** Where the next unit of each kind stands while a segment is written. */
interface Progress {
  readonly media: TsMedia;
  readonly runs: readonly AudioRun[];
  video: number;
  run: number;
  metadata: number;
}

/** A codec that a transport stream does not carry; see `streamTypeOf`. */
export function unsupportedInTs(what: string): ParseError {
  return new ParseError(
    'TS_CODEC_UNSUPPORTED',
    'ISO/IEC 13818-1 Table 2-34',
    `a transport stream does not carry ${what}`,
  );
}

/**
 * Writes samples into a transport stream of one program, segment by segment: each begins with its tables, so
 * it can be played alone, and continues counters, clock and times of the one before.
 */
export class TsMuxer {
  readonly #out: PacketWriter;
  #lanes: Lanes | undefined;
  /** Ticks of the last clock reference, not wrapped; undefined at a start. */
  #clock: number | undefined;
  /** Ticks of the last unit in front of which tables stand. */
  #tables = 0;
  /** The segment has no clock reference yet: a short one would be without. */
  #clockless = false;
  /** Ticks up to which sound and tags take the clock along in this segment. */
  #limit = Number.POSITIVE_INFINITY;
  /** PIDs whose next packet says that it does not follow on. */
  readonly #broken = new Set<number>();

  /** @param lends segments are the caller's only until it gives them back. */
  constructor({ lends = false }: { readonly lends?: boolean } = {}) {
    this.#out = new PacketWriter(lends);
  }

  /** Nobody looks at a segment any longer: its memory is used again, if segments are lent. */
  giveBack(segment: Uint8Array): void {
    this.#out.giveBack(segment);
  }

  /**
   * Sets the tracks of the segments to come.
   * @param discontinuity times do not go on from the segment before.
   * @throws ParseError `TS_CODEC_UNSUPPORTED`, `CONFIG_MALFORMED`
   */
  begin(tracks: TsTracks, discontinuity: boolean): void {
    const running = this.#lanes?.program;
    const version = running?.version ?? 0;
    let program = programOf(tracks, version);
    // The same program under another number would make players set themselves up anew.
    if (program !== undefined && running !== undefined && !sameBytes(writePmt(program), this.#lanes!.pmt)) {
      program = { ...program, version: (version + 1) & 31 };
    }
    const { video, audio } = tracks;
    if (program === undefined) {
      throw unsupportedInTs(
        [video, audio].map((track) => track?.parameters.codec ?? 'nothing').join(' with '),
      );
    }
    this.#lanes = {
      tracks,
      video: video?.parameters.kind === 'video' ? videoFraming(video.parameters) : undefined,
      audio: audio?.parameters.kind === 'audio' ? audioFraming(audio.parameters) : undefined,
      program,
      pat: writePat({
        transportStreamId: 1,
        version: 0,
        programs: [{ program: PROGRAM, mapPid: MUX_PID.map }],
      }),
      pmt: writePmt(program),
    };
    if (!discontinuity) return;
    this.#clock = undefined;
    for (const { pid } of program.streams) this.#broken.add(pid);
  }

  /**
   * One segment, in an array that is the caller's. Units go in the order of their decoding times; those that
   * are malformed are left out.
   * @throws Error before {@link begin}.
   */
  segment(media: TsMedia): Uint8Array {
    const lanes = this.#lanes;
    if (lanes === undefined) throw new Error('begin() comes first');
    const { audio } = media;
    const timebase = lanes.tracks.audio?.timebase ?? 1;
    const runs =
      audio === undefined || lanes.audio === undefined ? [] : audioRuns(audio, timebase, lanes.audio);
    const place: Progress = { media, runs, video: 0, run: 0, metadata: 0 };
    this.#clockless = true;
    this.#limit = this.#limitOf(lanes, media);
    this.#out.expect(expectedBytes(media, runs.length));
    this.#out.section(PAT_PID, lanes.pat);
    this.#out.section(MUX_PID.map, lanes.pmt);
    this.#tables = Number.POSITIVE_INFINITY;
    if (lanes.tracks.splices === true)
      for (const section of media.splices ?? []) this.#out.section(MUX_PID.splices, section);
    while (this.#next(lanes, place));
    return this.#out.take();
  }

  /** Writes whatever comes next in time; false at the end. */
  #next(lanes: Lanes, place: Progress): boolean {
    const { media, runs } = place;
    const picture = lanes.video === undefined ? undefined : media.video?.[place.video];
    const run = runs[place.run];
    const tag = lanes.tracks.metadata === true ? media.metadata?.[place.metadata] : undefined;
    const pictureAt = picture === undefined ? Number.POSITIVE_INFINITY : this.#videoTime(lanes, picture);
    const soundAt =
      run === undefined ? Number.POSITIVE_INFINITY : this.#audioTime(lanes, media.audio![run.from]!);
    const tagAt = tag === undefined ? Number.POSITIVE_INFINITY : tag.pts + TS_TIME_OFFSET;
    const head = place.video === 0 ? PICTURE_FIRST : 0;
    if (picture !== undefined && pictureAt <= Math.min(soundAt, tagAt) + head) {
      place.video++;
      this.#picture(lanes, picture, pictureAt, media.video![place.video]);
    } else if (run !== undefined && soundAt <= tagAt) {
      place.run++;
      this.#sound(lanes, media.audio!, run, soundAt);
    } else if (tag !== undefined) {
      place.metadata++;
      this.#tag(lanes, tag, tagAt);
    } else return false;
    return true;
  }

  #picture(lanes: Lanes, sample: TsSample, dts: number, following: TsSample | undefined): void {
    const track = lanes.tracks.video!;
    const framing = lanes.video!;
    const pts = ticksOf(sample.pts, track.timebase) + TS_TIME_OFFSET;
    // A PTS before its DTS cannot be told.
    const shown = Math.max(pts, dts);
    let bytes: number;
    try {
      bytes = videoUnitBytes(framing, sample.data, sample.keyframe);
    } catch (error) {
      if (error instanceof ParseError) return;
      throw error;
    }
    if (sample.keyframe) this.#repeatTables(lanes, dts);
    const until =
      following === undefined
        ? ticksOf(sample.dts + sample.duration, track.timebase) + TS_TIME_OFFSET
        : this.#videoTime(lanes, following);
    const out = this.#out;
    const at = this.#open(
      lanes,
      MUX_PID.video,
      pesHeaderBytes(shown !== dts) + bytes,
      dts,
      until,
      sample.keyframe,
    );
    const body = putPesHeader(out.bytes, at, STREAM_ID.video, shown, dts, bytes);
    putVideoUnit(out.bytes, body, framing, sample.data, sample.keyframe);
    out.close(MUX_PID.video);
  }

  #sound(lanes: Lanes, samples: readonly TsSample[], run: AudioRun, pts: number): void {
    const last = samples[run.to - 1]!;
    const until = ticksOf(last.pts + last.duration, lanes.tracks.audio!.timebase) + TS_TIME_OFFSET;
    const length = pesHeaderBytes(false) + run.bytes;
    const out = this.#out;
    const at = this.#open(lanes, MUX_PID.audio, length, pts, until, lanes.video === undefined);
    const body = putPesHeader(out.bytes, at, STREAM_ID.audio, pts, pts, run.bytes);
    putAudioRun(out.bytes, body, lanes.audio!, samples, run);
    out.close(MUX_PID.audio);
  }

  #tag(lanes: Lanes, { tag }: TsMetadata, pts: number): void {
    if (tag.length > MAX_METADATA_BYTES) return;
    const out = this.#out;
    const length = pesHeaderBytes(false) + tag.length;
    const at = this.#open(lanes, MUX_PID.metadata, length, pts, pts, false);
    const body = putPesHeader(out.bytes, at, STREAM_ID.privateStream1, pts, pts, tag.length);
    out.bytes.set(tag, body);
    out.close(MUX_PID.metadata);
  }

  /**
   * Makes room for a unit of `length` bytes. @param time ticks of the unit. @param until ticks of the next of its PID.
   * @returns where it is to be put.
   */
  #open(
    lanes: Lanes,
    pid: number,
    length: number,
    time: number,
    until: number,
    randomAccess: boolean,
  ): number {
    const own = pid === lanes.program.pcrPid;
    this.#tick(lanes.program.pcrPid, own ? time : Math.min(time, this.#limit), own);
    const clocks = own ? this.#clocks(time, until) : [];
    const discontinuity = this.#broken.delete(pid);
    return this.#out.open(length, { randomAccess, discontinuity, clocks });
  }

  /**
   * Where there are pictures, sound may have run on ahead of them into what the segments behind tell: the clock must not,
   * or their pictures would come after their time.
   */
  #limitOf(lanes: Lanes, { video, end }: TsMedia): number {
    const last = video?.at(-1);
    if (lanes.video === undefined || end === undefined) return Number.POSITIVE_INFINITY;
    const decoded = last === undefined ? 0 : ticksOf(last.dts + last.duration, lanes.tracks.video!.timebase);
    return Math.max(end, decoded) + TS_TIME_OFFSET;
  }

  /** Lets the clock run on to `time` where no unit carries it. @param own the unit there does. */
  #tick(pid: number, time: number, own: boolean): void {
    const last = this.#clock;
    if (last === undefined) {
      if (own) return;
      this.#clock = time;
      this.#clockless = false;
      // It is the reference that does not follow on, whatever unit comes next. §2.4.3.5
      this.#out.clock(pid, pcrOf(time), this.#broken.delete(pid));
      return;
    }
    const hole = time - last;
    if (hole > MAX_HOLE) {
      this.#clock = undefined;
      this.#broken.add(pid);
      this.#tick(pid, time, own);
      return;
    }
    const steps = Math.ceil(hole / MAX_CLOCK_STEP) - (own ? 1 : 0);
    const step = hole / (steps + (own ? 1 : 0));
    for (let i = 1; i <= steps && hole > MAX_CLOCK_STEP; i++) {
      this.#clock = last + i * step;
      this.#clockless = false;
      this.#out.clock(pid, pcrOf(this.#clock));
    }
    if (!this.#clockless || own) return;
    this.#clockless = false;
    this.#clock = Math.max(time, last + 1);
    this.#out.clock(pid, pcrOf(this.#clock));
  }

  /** Clock references for a unit at `time`, so that none is further than allowed from the next one's. */
  #clocks(time: number, until: number): number[] {
    const clocks: number[] = [];
    const gap = Math.min(Math.max(0, until - time), ARRIVAL);
    const count = Math.max(1, Math.ceil(gap / MAX_CLOCK_STEP));
    for (let i = 0; i < count; i++) {
      const at = time + (i * gap) / count;
      if (this.#clock !== undefined && at <= this.#clock) continue;
      this.#clock = at;
      clocks.push(pcrOf(at));
    }
    // The segment before went further than this one.
    if (clocks.length === 0 && this.#clockless) clocks.push(pcrOf(++this.#clock!));
    this.#clockless = false;
    return clocks;
  }

  #repeatTables(lanes: Lanes, time: number): void {
    if (time - this.#tables >= TABLES_AGAIN) {
      this.#out.section(PAT_PID, lanes.pat);
      this.#out.section(MUX_PID.map, lanes.pmt);
      this.#tables = time;
    } else this.#tables = Math.min(this.#tables, time);
  }

  #videoTime(lanes: Lanes, sample: TsSample): number {
    return ticksOf(sample.dts, lanes.tracks.video!.timebase) + TS_TIME_OFFSET;
  }

  #audioTime(lanes: Lanes, sample: TsSample): number {
    return ticksOf(sample.pts, lanes.tracks.audio!.timebase) + TS_TIME_OFFSET;
  }
}

function ticksOf(time: number, timebase: Timebase): number {
  return rescale(time as Ticks, timebase, SYSTEM_TIMEBASE as Timebase);
}

/** 27 MHz ticks of the clock when what is decoded at `time` arrives. */
function pcrOf(time: number): number {
  return Math.round((time - CLOCK_DELAY) * PCR_PER_TICK);
}

/** About as many bytes as a segment will have: 184 of 188 are payload, and the last packet of a unit is half full. */
function expectedBytes({ video = [], audio = [] }: TsMedia, runs: number): number {
  let payload = 0;
  for (const { data } of video) payload += data.length + PACKET_BYTES / 2 + VIDEO_OVERHEAD;
  for (const { data } of audio) payload += data.length + AUDIO_OVERHEAD;
  return 4 * PACKET_BYTES + (payload * PACKET_BYTES) / PACKET_ROOM + runs * (PACKET_BYTES / 2 + 14);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
