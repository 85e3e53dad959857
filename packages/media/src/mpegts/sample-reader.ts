import { VideoIntake } from '../bitstream/index.ts';
import { type CodecParameters, ParseError, type Sample, type Track } from '../model/index.ts';
import { type Timebase, ticks, Unwrapper, VIDEO_TIMEBASE } from '../time/index.ts';
import { AudioIntake } from './audio-intake.ts';
import { TsDemuxer, type TsUnit } from './demuxer.ts';
import { OpusIntake, opusChannels } from './opus-intake.ts';
import { languageOf } from './program.ts';
import { STREAM_TYPE } from './stream-type.ts';
import type { TsProgramMap, TsStreamInfo } from './tables.ts';

const INTAKES: Readonly<Record<number, () => VideoIntake | AudioIntake>> = {
  [STREAM_TYPE.h264]: () => new VideoIntake('h264'),
  [STREAM_TYPE.hevc]: () => new VideoIntake('hevc'),
  [STREAM_TYPE.adts]: () => new AudioIntake('aac'),
  [STREAM_TYPE.mpeg1Audio]: () => new AudioIntake('mp3'),
  [STREAM_TYPE.mpeg2Audio]: () => new AudioIntake('mp3'),
  [STREAM_TYPE.ac3]: () => new AudioIntake('ac3'),
  [STREAM_TYPE.eac3]: () => new AudioIntake('eac3'),
};
/** Streams that bring no samples, which is no fault. */
const SILENT: ReadonlySet<number> = new Set([STREAM_TYPE.metadata, STREAM_TYPE.scte35]);
/** Bits of PTS and DTS. */
const CLOCK_BITS = 33;

/** Where a reader reports to. */
export interface TsSampleHandlers {
  /** A track begins, or goes on with other parameters under the same id, which is its PID. */
  track(track: Track): void;
  sample(sample: Sample): void;
  /** The streams of the program that bring samples, before any of them and whenever they change. */
  program?(streams: readonly { readonly pid: number; readonly kind: 'video' | 'audio' }[]): void;
  /** A whole section of SCTE 35. @param unwrap a time of 33 bits on the samples' clock; callable at any later time. */
  splice?(section: Uint8Array, unwrap: (pts: number) => number): void;
  /** A timed ID3 tag. @param time 90 kHz, unwrapped as the samples' */
  metadata?(tag: Uint8Array, time: number): void;
  /** Something is wrong; reading goes on with what follows. */
  fault?(error: ParseError, pid: number | undefined): void;
}

interface Lane {
  readonly streamType: number;
  readonly intake: VideoIntake | AudioIntake | OpusIntake;
  readonly language: string | undefined;
  track: Track | undefined;
}

/**
 * Reads the samples of a transport stream, in pieces of any size: H.264, HEVC, AAC in ADTS, MP3, AC-3, Enhanced AC-3
 * and Opus, in canonical framing. Times are unwrapped and else as they stand. Video begins at a keyframe.
 */
export class TsSampleReader {
  readonly #handlers: TsSampleHandlers;
  readonly #demuxer: TsDemuxer;
  readonly #lanes = new Map<number, Lane>();
  /** One for all, so that no track lies a whole turn of the clock beside the others. */
  readonly #clock = new Unwrapper(CLOCK_BITS);

  constructor(handlers: TsSampleHandlers) {
    this.#handlers = handlers;
    const { splice } = handlers;
    this.#demuxer = new TsDemuxer({
      program: (map) => this.#program(map),
      unit: (unit) => this.#unit(unit),
      ...(splice === undefined
        ? {}
        : { section: (section) => handlers.splice?.(section, (pts) => this.#clock.near(pts)) }),
      fault: (error, pid) => handlers.fault?.(error, pid),
    });
  }

  /** Takes the next bytes of the stream; nothing of them is kept. */
  push(bytes: Uint8Array): void {
    this.#demuxer.push(bytes);
  }

  /** Nothing follows: hands out what is under way. */
  end(): void {
    this.#demuxer.end();
  }

  #program({ streams, program }: TsProgramMap): void {
    for (const [pid, { streamType }] of this.#lanes) {
      if (!streams.some((stream) => stream.pid === pid && stream.streamType === streamType))
        this.#lanes.delete(pid);
    }
    for (const info of streams) {
      const { pid, streamType } = info;
      if (this.#lanes.has(pid)) continue;
      const intake = intakeOf(info);
      if (intake !== undefined) {
        this.#lanes.set(pid, { streamType, intake, language: languageOf(info), track: undefined });
      } else if (!SILENT.has(streamType)) {
        const message = `stream type ${streamType} of program ${program} is passed over`;
        this.#handlers.fault?.(
          new ParseError('TS_CODEC_UNSUPPORTED', 'ISO/IEC 13818-1 Table 2-34', message),
          pid,
        );
      }
    }
    this.#handlers.program?.(
      [...this.#lanes].map(([pid, { intake }]) => ({
        pid,
        kind: intake instanceof VideoIntake ? 'video' : 'audio',
      })),
    );
  }

  #unit(unit: TsUnit): void {
    const lane = this.#lanes.get(unit.pid);
    if (unit.streamType === STREAM_TYPE.metadata) this.#metadata(unit);
    if (lane === undefined) return;
    const { intake } = lane;
    try {
      if (intake instanceof VideoIntake) this.#video(lane, intake, unit);
      else this.#audio(lane, intake, unit);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.#handlers.fault?.(error, unit.pid);
    }
  }

  #metadata({ header: { pts }, data, damaged }: TsUnit): void {
    if (pts !== undefined && !damaged) this.#handlers.metadata?.(data, this.#clock.near(pts));
  }

  #video(lane: Lane, intake: VideoIntake, { pid, header, data, damaged }: TsUnit): void {
    const { pts, dts = pts } = header;
    if (damaged) return;
    if (pts === undefined || dts === undefined) {
      throw new ParseError('TS_PES', 'ISO/IEC 13818-1 §2.7.5', 'a picture without a time');
    }
    const { parameters, keyframe, data: coded } = intake.read(data);
    if (parameters !== undefined) this.#track(lane, pid, VIDEO_TIMEBASE, parameters);
    const decoded = this.#clock.next(dts);
    const shown = this.#clock.next(pts);
    const { track } = lane;
    if (track === undefined || coded.length === 0) return;
    this.#handlers.sample({
      track,
      dts: ticks(decoded),
      pts: ticks(shown),
      duration: undefined,
      keyframe,
      data: coded,
    });
  }

  #audio(lane: Lane, intake: AudioIntake | OpusIntake, { pid, header, data, damaged }: TsUnit): void {
    if (damaged) intake.lost();
    const pts = header.pts === undefined ? undefined : this.#clock.next(header.pts);
    const { frames, skipped } = intake.read(data, pts);
    for (const frame of frames) {
      if (frame.parameters !== undefined) {
        this.#track(lane, pid, frame.parameters.sampleRate as Timebase, frame.parameters);
      }
      const time = ticks(frame.time);
      this.#handlers.sample({
        track: lane.track!,
        dts: time,
        pts: time,
        duration: ticks(frame.duration),
        keyframe: true,
        data: frame.data,
      });
    }
    if (!skipped) return;
    throw new ParseError('FRAME_MALFORMED', 'ISO/IEC 13818-1 §2.4.2.6', 'bytes between frames of audio');
  }

  #track(lane: Lane, id: number, timebase: Timebase, parameters: CodecParameters): void {
    const { language } = lane;
    lane.track = { id, timebase, parameters, ...(language === undefined ? {} : { language }) };
    this.#handlers.track(lane.track);
  }
}

function intakeOf(info: TsStreamInfo): Lane['intake'] | undefined {
  const make = INTAKES[info.streamType];
  if (make !== undefined) return make();
  const channels = info.streamType === STREAM_TYPE.privateData ? opusChannels(info.descriptors) : undefined;
  return channels === undefined ? undefined : new OpusIntake(channels);
}
