import {
  MICROSECONDS,
  MILLISECONDS,
  rescale,
  type Sample,
  type TimedEvent,
  type Track,
  ticks,
} from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { colourTag, configTag, metadataTag, scriptBody, scriptOfEvent } from '@onair/media/flv';
import {
  type Cut,
  DEFAULT_LOG_LIMITS,
  Fanout,
  type FanoutContext,
  FormatLog,
  type LogEpoch,
  type LogLimits,
  type Packager,
  type PackagerKind,
  type StreamState,
} from '../../hub/index.ts';
import { DueEvents } from '../due-events.ts';
import { Silences } from '../silence.ts';
import type { TagFormat } from './tag-format.ts';

/**
 * Turns samples into a log of FLV tags or RTMP messages, once for all who watch. A sound that a publisher comes back
 * without goes on as silence: players in pages stand still without it.
 */
export class TagPackager implements Packager {
  /** The viewers' side. */
  readonly fanout: Fanout<Uint8Array>;
  readonly #log: FormatLog<Uint8Array>;
  readonly #format: TagFormat;
  #epoch: LogEpoch<Uint8Array> | undefined;
  #hasVideo = false;
  /** Tracks whose next block is the first after a cut. */
  readonly #fresh = new Set<number>();
  /** Players of this family take an event for now when it comes: it comes when the media do. */
  readonly #due = new DueEvents();
  readonly #silences = new Silences();

  constructor(format: TagFormat, context: FanoutContext, limits: LogLimits = DEFAULT_LOG_LIMITS) {
    this.#format = format;
    this.#log = new FormatLog(limits);
    this.fanout = new Fanout(this.#log, context);
  }

  /** The running epoch's tracks as they are sent; their sound may be of another codec than the stream's. */
  get tracks(): readonly Track[] {
    return this.#epoch?.tracks ?? [];
  }

  cut(cut: Cut): void {
    this.#silences.cut();
    if (this.#epoch === undefined || cut.newEpoch) this.#begin(cut);
    for (const track of this.tracks) this.#fresh.add(track.id);
  }

  #begin(cut: Cut): void {
    const { epoch } = cut;
    this.#silences.begin(this.tracks, epoch.tracks, epoch.tracks);
    const tracks = this.#silences.among(epoch.tracks);
    this.#hasVideo = epoch.tracks[0]?.parameters.kind === 'video';
    const timestampMs = rescale(ticks(cut.anchor.time), MICROSECONDS, MILLISECONDS);
    this.#epoch = {
      number: epoch.number,
      tracks,
      config: this.#config(tracks, timestampMs),
    };
    this.#log.append({
      kind: 'config',
      epoch: this.#epoch,
      track: 0,
      video: false,
      independent: false,
      discontinuity: true,
      time: cut.anchor.time,
      duration: 0,
      compositionOffset: 0,
      wallMs: cut.anchor.wallMs,
      bytes: this.#epoch.config,
    });
  }

  sample(sample: Sample, wallMs: number): void {
    const { track } = sample;
    if (track.parameters.kind === 'data') {
      this.#due.add(sample);
      return;
    }
    if (this.#epoch === undefined) return;
    if (track.parameters.kind === 'audio') {
      if (this.#silences.refuses(sample)) return;
      this.#silences.note(track, sample.dts + (sample.duration ?? 0));
    } else if (track.id === this.#epoch.tracks[0]?.id) {
      for (const silent of this.#silences.until(sample.dts, sample.pts, track.timebase)) {
        this.#silences.note(silent.track, silent.dts + silent.duration!);
        this.#append(silent, wallMs);
      }
    }
    this.#append(sample, wallMs);
  }

  #append(sample: Sample, wallMs: number): void {
    const { track } = sample;
    const epoch = this.#epoch!;
    const video = track.parameters.kind === 'video';
    const base = track.timebase;
    const time = rescale(sample.dts, base, MICROSECONDS);
    if (video || !this.#hasVideo) for (const event of this.#due.take(time)) this.#event(event, time, wallMs);
    this.#log.append({
      kind: 'media',
      epoch,
      track: track.id,
      video,
      independent: video ? sample.keyframe && track.id === epoch.tracks[0]?.id : !this.#hasVideo,
      discontinuity: this.#fresh.delete(track.id),
      time,
      duration: sample.duration === undefined ? 0 : rescale(sample.duration, base, MICROSECONDS),
      compositionOffset:
        sample.pts === sample.dts ? 0 : rescale(ticks(sample.pts - sample.dts), base, MICROSECONDS),
      wallMs,
      bytes: this.#format.sample(sample),
    });
  }

  /** @param time µs of the media behind it: tags do not go back in time. */
  #event(event: TimedEvent, time: number, wallMs: number): void {
    const { name, values } = scriptOfEvent(event);
    const timestampMs = rescale(ticks(time), MICROSECONDS, MILLISECONDS);
    this.#log.append(
      {
        kind: 'notice',
        epoch: this.#epoch!,
        track: 0,
        video: false,
        independent: false,
        discontinuity: false,
        time,
        duration: 0,
        compositionOffset: 0,
        wallMs,
        bytes: this.#format.body('script', timestampMs, scriptBody(name, values)),
      },
      event.duration > 0 ? event.time + event.duration : undefined,
    );
  }

  state(state: StreamState): void {
    if (state !== 'ended') return;
    this.#log.finish('stream-ended');
    this.#log.clear();
    // What comes under this name afterwards owes nothing to what was before.
    this.#epoch = undefined;
  }

  close(): void {
    this.#log.finish('stream-ended');
    this.#log.clear();
  }

  #config(tracks: readonly Track[], timestampMs: number): Uint8Array {
    const parts = [this.#format.body('script', timestampMs, metadataTag(tracks).body)];
    // One track of each kind: most players of this family know no more.
    for (const kind of ['video', 'audio'] as const) {
      const track = tracks.find((candidate) => candidate.parameters.kind === kind);
      const tag = track === undefined ? undefined : configTag(track);
      const colour = track === undefined ? undefined : colourTag(track);
      for (const one of [tag, colour])
        if (one !== undefined) parts.push(this.#format.body(one.type, timestampMs, one.body));
    }
    return concatBytes(parts);
  }
}

/** The kind of packager under which a stream shares its tags in `format`. */
export function tagPackagerKind(
  format: TagFormat,
  context: FanoutContext,
  limits: () => LogLimits = () => DEFAULT_LOG_LIMITS,
): PackagerKind<TagPackager> {
  return { name: format.name, create: () => new TagPackager(format, context, limits()) };
}
