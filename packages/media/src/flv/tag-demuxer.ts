import { type AmfValue, amfProperties } from '../amf/index.ts';
import { MAX_FRAME_RATE } from '../bitstream/index.ts';
import { ParseError } from '../model/errors.ts';
import type { Sample, Track } from '../model/sample.ts';
import { Unwrapper } from '../time/index.ts';
import { AudioIntake } from './audio-intake.ts';
import { type AudioMessage, parseAudioBody } from './audio-message.ts';
import { readColourInfo } from './colour-info.ts';
import { METADATA, parseScriptBody, type ScriptMessage } from './script.ts';
import type { Tag } from './tag.ts';
import { trackLanguages } from './track-languages.ts';
import { type Intake, VideoIntake } from './video-intake.ts';
import { parseVideoBody, type VideoMessage } from './video-message.ts';

/** Highest track id of Enhanced RTMP multitrack that is accepted, per kind. */
export const MAX_MULTITRACK_ID = 15;

/** Who takes what a {@link TagDemuxer} finds. Called within `push`, in wire order. */
export interface TagHandler {
  /** A track begins, or goes on under the same id with new parameters. */
  onTrack(track: Track): void;
  onSample(sample: Sample): void;
  /** Value of an onMetaData message. */
  onMetadata(value: AmfValue): void;
  /** Any other data message. @param timestampMs unwrapped milliseconds of the publisher's clock. */
  onDataEvent(name: string, values: readonly AmfValue[], timestampMs: number): void;
}

/**
 * FLV tags or RTMP messages in, tracks and samples out. Video track ids are 1, 3, 5…, audio 2, 4, 6…:
 * the default tracks are 1 and 2.
 *
 * One unwrapper serves all tags, so that sound and picture stay together over the 32-bit wrap. Decoding
 * times rise strictly as long as the publisher's clock does; jitter of up to 60 ms is evened out, while a
 * real jump, in either direction, is passed on for the publication to deal with.
 */
export class TagDemuxer {
  readonly #handler: TagHandler;
  readonly #clock = new Unwrapper(32);
  readonly #video = new Map<number, VideoIntake>();
  readonly #audio = new Map<number, AudioIntake>();
  /** Languages by track id, as the publisher's metadata tell them. */
  #languages: ReadonlyMap<number, string> = new Map();
  /** Frames per second by the publisher's metadata. */
  #frameRate: number | undefined;
  #dropped = 0;

  constructor(handler: TagHandler) {
    this.#handler = handler;
  }

  /** Frames dropped because no sequence header of their codec had come before them. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes one tag. Samples keep views into its body.
   * @throws ParseError for a malformed body: the tag is to be dropped and counted; the demuxer stays usable.
   */
  push(tag: Tag): void {
    const wireMs = this.#clock.next(tag.timestampMs);
    switch (tag.type) {
      case 'video':
        for (const message of parseVideoBody(tag.body)) this.#pushVideo(message, wireMs);
        break;
      case 'audio':
        for (const message of parseAudioBody(tag.body)) this.#pushAudio(message, wireMs);
        break;
      case 'script':
        this.#pushData(parseScriptBody(tag.body), wireMs);
        break;
    }
  }

  /** Takes a data message that is decoded already, as RTMP sessions hand them out; otherwise like `push`. */
  pushData(message: ScriptMessage, timestampMs: number): void {
    this.#pushData(message, this.#clock.next(timestampMs));
  }

  #pushData(message: ScriptMessage, wireMs: number): void {
    const { name, values } = message;
    if (name !== METADATA) {
      this.#handler.onDataEvent(name, values, wireMs);
      return;
    }
    const properties = amfProperties(values[0]);
    this.#languages = trackLanguages(properties);
    const rate = properties?.framerate;
    this.#frameRate = typeof rate === 'number' && rate > 0 && rate <= MAX_FRAME_RATE ? rate : undefined;
    this.#handler.onMetadata(values[0]);
  }

  #pushVideo(message: VideoMessage, wireMs: number): void {
    const intake = intakeOf(this.#video, message.trackId, () => new VideoIntake(1 + 2 * message.trackId));
    if (message.data.length === 0) return; // some writers end a sequence with an empty record
    if (message.kind === 'config') {
      this.#announce(intake.configure(message.codec, message.data, this.#frameRate));
    } else if (message.kind === 'frame') {
      this.#deliver(intake.frame(message, wireMs, this.#frameRate));
    } else if (message.kind === 'metadata') {
      const colour = readColourInfo(message.data);
      if (colour !== undefined) this.#announce(intake.tellColour(colour ?? undefined));
    }
  }

  #pushAudio(message: AudioMessage, wireMs: number): void {
    const intake = intakeOf(this.#audio, message.trackId, () => new AudioIntake(2 + 2 * message.trackId));
    if (message.data.length === 0) return;
    if (message.kind === 'config') this.#announce(intake.configure(message.codec, message.data));
    else if (message.kind === 'frame') this.#deliver(intake.frame(message, wireMs));
  }

  #announce(track: Track | undefined): void {
    if (track === undefined) return;
    const language = this.#languages.get(track.id);
    this.#handler.onTrack(language === undefined ? track : { ...track, language });
  }

  #deliver(found: Intake | undefined): void {
    if (found === undefined) {
      this.#dropped++;
      return;
    }
    this.#announce(found.track);
    for (const sample of found.samples) this.#handler.onSample(sample);
  }
}

function intakeOf<I>(intakes: Map<number, I>, trackId: number, make: () => I): I {
  let intake = intakes.get(trackId);
  if (intake === undefined) {
    if (trackId > MAX_MULTITRACK_ID) {
      const what = `track id ${trackId}, at most ${MAX_MULTITRACK_ID} allowed`;
      throw new ParseError('FLV_TOO_MANY_TRACKS', 'Enhanced RTMP v2, multitrack', what);
    }
    intake = make();
    intakes.set(trackId, intake);
  }
  return intake;
}
