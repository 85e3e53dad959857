import { clockSei } from '@onair/contracts/burnt-clock';
import type { Sample, Track } from '@onair/media/model';
import { type Timebase, ticks, VIDEO_TIMEBASE } from '@onair/media/time';
import { VideoEncoder } from './encoder.ts';
import { avcConfiguration, levelFor } from './parameter-sets.ts';
import { DemoSound, SOUND_FRAME, SOUND_RATE } from './sound.ts';
import { TestPicture } from './test-picture.ts';

/** How the demo is made; everything has a default. */
export interface DemoOptions {
  /** Wall clock in milliseconds since 1970-01-01T00:00:00Z; `Date.now` unless given. */
  readonly clock?: () => number;
  /** Pixels, even, 320 to 1920; 640 unless given. */
  readonly width?: number;
  /** Pixels, even, 180 to 1088; 360 unless given. */
  readonly height?: number;
  /** Frames per second: one of {@link DEMO_FRAME_RATES}; 30 unless given. */
  readonly frameRate?: number;
}

/** What a running demo is stopped by. */
export interface DemoHandle {
  /** No sample is given after this returns. Safe to call twice. */
  stop(): void;
}

/** Frame rates whose frames last a whole number of ticks in both timebases. */
export const DEMO_FRAME_RATES: readonly number[] = [24, 25, 30, 50, 60];

/** Ticks of the video timebase in 8 ticks of the audio timebase, 15; a new timeline starts on such a place. */
const COMMON_TICKS = 8;
/** Seconds from one keyframe to the next. */
const GOP_SECONDS = 2;
/** Behind by more than this, in audio samples, what was missed is left out. */
const MAX_CATCH_UP = SOUND_RATE;
/** Ahead by more than this, in audio samples, the wall clock must have been set back. */
const MAX_AHEAD = SOUND_RATE / 2;
/** QP of the video; text stays crisp at about 0.5 Mbit/s. */
const QP = 18;

/** Where on the wall clock the samples' timeline stands. Counts are from 1970-01-01T00:00:00Z. */
interface Anchor {
  /** Audio samples at the first video frame. */
  readonly start: number;
  /** Timeline of the samples at that moment, in audio samples. */
  readonly elapsed: number;
}

/**
 * The built-in publisher: a moving test picture in H.264 and its sound in AAC, made while the clock runs.
 * Video frames lie on whole multiples of the frame duration on the wall clock, keyframes on even seconds
 * (and at every start), beeps on full seconds. Each access unit carries its time as an SEI message.
 */
export class DemoSource {
  /** Video (90 kHz), then audio (48 kHz). */
  readonly tracks: readonly [Track, Track];
  readonly #clock: () => number;
  readonly #frameRate: number;
  readonly #picture: TestPicture;
  readonly #encoder: VideoEncoder;
  readonly #sound = new DemoSound();
  #anchor: Anchor | undefined;
  #frame = 0; // next video frame, counted from 1970
  #soundFrame = 0; // next audio frame, counted from 1970
  #shown = 0; // video frames so far
  #keyframe = true; // whether the next video frame must be one

  /** @throws RangeError for a size or frame rate that is not offered. */
  constructor(options: DemoOptions = {}) {
    const { clock = Date.now, width = 640, height = 360, frameRate = 30 } = options;
    checkFormat(width, height, frameRate);
    this.#clock = clock;
    this.#frameRate = frameRate;
    this.#picture = new TestPicture(width, height);
    this.#encoder = new VideoEncoder(width, height, QP);
    const description = avcConfiguration({ width, height, frameRate });
    const level = levelFor({ width, height, frameRate }).toString(16);
    const video = { kind: 'video', codec: 'h264', codecString: `avc1.42c0${level}` } as const;
    const audio = { kind: 'audio', codec: 'aac', codecString: 'mp4a.40.2' } as const;
    this.tracks = [
      { id: 1, timebase: VIDEO_TIMEBASE, parameters: { ...video, description, width, height, frameRate } },
      {
        id: 2,
        timebase: SOUND_RATE as Timebase,
        parameters: {
          ...audio,
          description: this.#sound.configuration,
          sampleRate: SOUND_RATE,
          channels: 2,
          frameSize: SOUND_FRAME,
        },
      },
    ];
  }

  /** What the decoder of the last video sample shows; overwritten by the next. For tests. */
  get reconstruction(): VideoEncoder['reconstruction'] {
    return this.#encoder.reconstruction;
  }

  /** Makes the next video sample a keyframe. */
  requestKeyframe(): void {
    this.#keyframe = true;
  }

  /**
   * The samples that became due since the last call, in decoding order across both tracks; their data is the
   * caller's to keep. Sound is due with the video frame it begins under. After a pause of more than a second, or when the wall clock is set back, it goes on
   * from now with a keyframe and without a hole in the timestamps.
   */
  next(): Sample[] {
    const now = Math.floor((this.#clock() * SOUND_RATE) / 1000);
    const due = this.#videoDue();
    if (this.#anchor === undefined || now - due > MAX_CATCH_UP || due - now > MAX_AHEAD) this.#setAnchor(now);
    const samples: Sample[] = [];
    while (this.#videoDue() <= now) {
      samples.push(this.#nextVideo());
      // The sound of the whole frame duration goes with it, so that there is one wake-up a video frame.
      while (this.#soundDue() < this.#videoDue()) samples.push(this.#nextAudio());
    }
    return samples;
  }

  /**
   * Gives each sample when it is due, beginning with a keyframe; timestamps go on where they were.
   * The caller must stop what it started.
   */
  start(onSample: (sample: Sample) => void): DemoHandle {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const now = Math.floor((this.#clock() * SOUND_RATE) / 1000);
    this.#setAnchor(now);
    const wait = (): void => {
      const ms = (this.#videoDue() * 1000) / SOUND_RATE - this.#clock();
      timer = setTimeout(turn, Math.min(Math.max(Math.ceil(ms), 1), 1000));
    };
    const turn = (): void => {
      for (const sample of this.next()) {
        if (stopped) return;
        onSample(sample);
      }
      if (!stopped) wait();
    };
    wait();
    return {
      stop: () => {
        stopped = true;
        clearTimeout(timer);
      },
    };
  }

  /** Audio samples from 1970 to the next video frame. */
  #videoDue(): number {
    return this.#frame * (SOUND_RATE / this.#frameRate);
  }

  /** Audio samples from 1970 to the next audio frame. */
  #soundDue(): number {
    return this.#soundFrame * SOUND_FRAME;
  }

  /** Timeline of the samples for a time in audio samples from 1970. */
  #elapsed(time: number): number {
    return this.#anchor === undefined ? 0 : time - this.#anchor.start + this.#anchor.elapsed;
  }

  /** Goes on from the first frame that is not before `now`. */
  #setAnchor(now: number): void {
    const end = Math.max(this.#elapsed(this.#videoDue()), this.#elapsed(this.#soundDue()));
    const elapsed = Math.ceil(end / COMMON_TICKS) * COMMON_TICKS;
    this.#frame = Math.ceil((now * this.#frameRate) / SOUND_RATE);
    const start = this.#videoDue();
    this.#soundFrame = Math.ceil(start / SOUND_FRAME);
    this.#anchor = { start, elapsed };
    this.#keyframe = true;
  }

  #nextVideo(): Sample {
    const track = this.tracks[0];
    const rate = this.#frameRate;
    const dts = (this.#elapsed(this.#videoDue()) * VIDEO_TIMEBASE) / SOUND_RATE;
    const keyframe = this.#keyframe || this.#frame % (GOP_SECONDS * rate) === 0;
    const seconds = Math.floor(this.#frame / rate);
    const rest = this.#frame % rate;
    this.#picture.draw(seconds * 1000 + Math.floor((rest * 1000) / rate), this.#shown);
    const { picture, damage } = this.#picture;
    const slice = keyframe ? this.#encoder.encodeIdr(picture) : this.#encoder.encodeP(picture, damage);
    const data = accessUnit(clockSei(seconds * 1_000_000 + Math.round((rest * 1_000_000) / rate)), slice);
    this.#keyframe = false;
    this.#frame++;
    this.#shown++;
    return {
      track,
      dts: ticks(dts),
      pts: ticks(dts),
      duration: ticks(VIDEO_TIMEBASE / rate),
      keyframe,
      data,
    };
  }

  #nextAudio(): Sample {
    const track = this.tracks[1];
    const dts = ticks(this.#elapsed(this.#soundDue()));
    const data = this.#sound.frame(this.#soundFrame);
    this.#soundFrame++;
    return { track, dts, pts: dts, duration: ticks(SOUND_FRAME), keyframe: true, data };
  }
}

/** NAL units with their 4-byte lengths. */
function accessUnit(...units: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(units.reduce((sum, unit) => sum + 4 + unit.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.length);
    out.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return out;
}

function checkFormat(width: number, height: number, frameRate: number): void {
  const fits = (size: number, least: number, most: number): boolean =>
    Number.isInteger(size) && size % 2 === 0 && size >= least && size <= most;
  if (!fits(width, 320, 1920) || !fits(height, 180, 1088)) {
    throw new RangeError(`the demo is 320x180 to 1920x1088 with even sides, received ${width}x${height}`);
  }
  if (!DEMO_FRAME_RATES.includes(frameRate)) {
    throw new RangeError(
      `the demo has ${DEMO_FRAME_RATES.join(', ')} frames per second, received ${frameRate}`,
    );
  }
}
