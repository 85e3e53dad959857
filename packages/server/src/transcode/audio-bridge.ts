import { type AudioParameters, rescale, type Sample, type Timebase, type Track, ticks } from '@onair/media';
import { aacParameters, opusParameters, writeOpusConfig } from '@onair/media/bitstream';
import type { Cut, Packager, PackagerKind, Stream, StreamSink, StreamState } from '../hub/index.ts';
import { type AudioTranscoder, MAX_WAITING, type TranscoderLine } from './audio-transcoder.ts';
import { BRIDGE_RATE, type BridgedCodec } from './protocol.ts';

/** When a packager gets other sound than the stream has. */
export interface BridgeRule {
  readonly to: BridgedCodec;
  /** True if the packager cannot use the stream's own sound. */
  needed(track: AudioParameters, stream: Stream): boolean;
  /** Sound from before this many milliseconds is left out when the packager starts. */
  readonly pastMs: number;
}

/** For outputs that want no past: sound that was under way for longer is left out while newer sound waits, ms. */
const MAX_LATE_MS = 150;
/** Sound that came in for longer before it is handed over was kept for packagers to begin with, ms. */
const PAST_MS = 500;
/** So many packets wait when it is not merely this one's turn. */
const BEHIND = 3;

/** Told what viewers and operators should know. */
export type BridgeLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** AudioSpecificConfig of AAC-LC at 48 kHz in stereo (ISO/IEC 14496-3 §1.6.2.1). */
const AAC = aacParameters(Uint8Array.of(0x11, 0x90));
const OPUS = opusParameters(
  writeOpusConfig({
    channels: 2,
    preSkip: 312,
    inputSampleRate: BRIDGE_RATE,
    outputGain: 0,
    mappingFamily: 0,
    mapping: new Uint8Array(0),
  }),
);

/** Stands in front of a packager and puts sound of another codec in place of the stream's own, where that is needed. */
class AudioBridge implements StreamSink {
  readonly #stream: Stream;
  readonly #rule: BridgeRule;
  readonly #sink: StreamSink;
  readonly #transcoder: AudioTranscoder;
  readonly #log: BridgeLog;
  #source: Track | undefined;
  #track: Track | undefined;
  #line: TranscoderLine | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #told = false;
  /** When sound was handed over, by its time in ticks of {@link BRIDGE_RATE}; oldest first. */
  readonly #handed: { readonly time: number; readonly atMs: number }[] = [];

  constructor(
    stream: Stream,
    rule: BridgeRule,
    sink: StreamSink,
    parts: { readonly transcoder: AudioTranscoder; readonly log: BridgeLog },
  ) {
    this.#stream = stream;
    this.#rule = rule;
    this.#sink = sink;
    this.#transcoder = parts.transcoder;
    this.#log = parts.log;
  }

  cut(cut: Cut): void {
    const source = cut.epoch.tracks.find(({ parameters }) => parameters.kind === 'audio');
    const parameters = source?.parameters;
    if (
      source === undefined ||
      parameters?.kind !== 'audio' ||
      !this.#rule.needed(parameters, this.#stream)
    ) {
      this.close();
      this.#sink.cut(cut);
      return;
    }
    if (this.#source !== source) this.#begin(source, parameters);
    const track = this.#track!;
    const tracks = cut.epoch.tracks.map((one) => (one === source ? track : one));
    this.#sink.cut({ ...cut, epoch: { ...cut.epoch, tracks } });
  }

  sample(sample: Sample, wallMs: number): void {
    if (this.#source === undefined || sample.track.id !== this.#source.id) {
      this.#sink.sample(sample, wallMs);
      return;
    }
    const age = Date.now() - wallMs;
    if (age > this.#rule.pastMs) return;
    const time = rescale(sample.pts, sample.track.timebase, BRIDGE_RATE as Timebase);
    if (Number.isFinite(this.#rule.pastMs)) {
      this.#handed.push({ time, atMs: performance.now() });
      if (this.#handed.length > 2 * MAX_WAITING) this.#handed.shift();
    }
    if (this.#line?.push(time, sample.data, age > PAST_MS) === false && !this.#told) {
      this.#told = true;
      this.#stream.warn(
        'SOUND_LEFT_OUT',
        'Turning the sound into another codec is slower than real time here, so some is left out.',
      );
    }
  }

  state(state: StreamState): void {
    this.#sink.state(state);
  }

  /** Ends the work. Safe to call twice. */
  close(): void {
    this.#line?.close();
    this.#line = undefined;
    this.#source = undefined;
  }

  #begin(source: Track, parameters: AudioParameters): void {
    this.#line?.close();
    this.#source = source;
    const to = this.#rule.to === 'aac' ? AAC : OPUS;
    const track: Track = { ...source, timebase: BRIDGE_RATE as Timebase, parameters: to };
    this.#track = track;
    this.#last = Number.NEGATIVE_INFINITY;
    this.#handed.length = 0;
    const line = this.#transcoder.open(this.#rule.to, parameters, {
      packet: (time, data) => this.#made(track, time, data),
      failed: (reason) => {
        if (this.#line !== line) return;
        this.#line = undefined;
        const fields = { stream: this.#stream.name, from: parameters.codecString, to: this.#rule.to, reason };
        this.#log('sound cannot be turned into another codec', fields);
        this.#stream.warn(
          'SOUND_NOT_BRIDGED',
          `The sound cannot be turned into ${this.#rule.to}: ${reason}.`,
        );
      },
    });
    this.#line = line;
    this.#log('sound is turned into another codec', {
      stream: this.#stream.name,
      from: parameters.codecString,
      to: this.#rule.to,
    });
  }

  /** A burst of what is late would make players hold all sound back, and the pictures with it. */
  #isLate(time: number): boolean {
    let handedMs = Number.POSITIVE_INFINITY;
    while (this.#handed.length > 0 && this.#handed[0]!.time <= time) handedMs = this.#handed.shift()!.atMs;
    return performance.now() - handedMs > MAX_LATE_MS && (this.#line?.waiting ?? 0) >= BEHIND;
  }

  #made(track: Track, time: number, data: Uint8Array): void {
    if (this.#track !== track || time <= this.#last || time < 0) return;
    this.#last = time;
    if (this.#isLate(time)) return;
    const at = ticks(time);
    try {
      this.#sink.sample({ track, dts: at, pts: at, duration: undefined, keyframe: true, data }, Date.now());
    } catch (error) {
      this.close();
      this.#log('a sink failed with sound of another codec', {
        stream: this.#stream.name,
        error: String(error),
      });
    }
  }
}

/** The same packager with a bridge in front; one object per process, like the kind itself. */
export function bridgedKind<P extends Packager>(
  kind: PackagerKind<P>,
  rule: BridgeRule,
  parts: { readonly transcoder: AudioTranscoder; readonly log: BridgeLog },
): PackagerKind<P> {
  return {
    name: kind.name,
    create(stream) {
      const packager = kind.create(stream);
      const own: StreamSink = {
        cut: packager.cut.bind(packager),
        sample: packager.sample.bind(packager),
        state: packager.state.bind(packager),
      };
      const release = packager.close.bind(packager);
      const bridge = new AudioBridge(stream, rule, own, parts);
      return Object.assign(packager, {
        cut: (cut: Cut) => bridge.cut(cut),
        sample: (sample: Sample, wallMs: number) => bridge.sample(sample, wallMs),
        state: (state: StreamState, until?: number) => own.state(state, until),
        close() {
          bridge.close();
          release();
        },
      });
    },
  };
}
