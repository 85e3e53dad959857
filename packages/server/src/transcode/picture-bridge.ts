import { type Sample, sameParameters, type Track, ticks, type VideoParameters } from '@onair/media';
import { ReorderLook } from '@onair/media/bitstream';
import type { Cut, Packager, PackagerKind, Stream, StreamSink, StreamState } from '../hub/index.ts';
import type { BridgeLog } from './audio-bridge.ts';
import type { PictureTarget } from './picture-format.ts';
import type { MadePicture } from './picture-program.ts';
import type { PictureTranscoder } from './picture-transcoder.ts';

/** When a packager gets other pictures than the stream has. */
export interface PictureRule {
  readonly to: PictureTarget;
  /** True if the packager cannot use pictures of these parameters. */
  needed(track: VideoParameters, stream: Stream): boolean;
  /** True if it cannot use H.264 whose pictures are shown in another order than they come in. */
  readonly inOrder: boolean;
}

/** What bridges of pictures are joined from. */
export interface PictureParts {
  readonly pictures: PictureTranscoder;
  readonly log: BridgeLog;
}

/** Samples of other tracks that wait for the first picture; what comes beyond them is left out. */
const MAX_HELD = 2_000;
/** How often it is looked whether somebody uses a packager that needs a program … */
const LOOK_MS = 10_000;
/** … and after how many looks without anybody it is let go. */
const IDLE_LOOKS = 3;

/** Stands in front of a packager and puts pictures of another codec in place of the stream's own, where that is needed. */
class PictureBridge implements StreamSink {
  readonly #stream: Stream;
  readonly #rule: PictureRule;
  readonly #sink: StreamSink;
  readonly #parts: PictureParts;
  /** What the stream said last; passed on again when the pictures change. */
  #cut: Cut | undefined;
  #source: Track | undefined;
  /** The track that stands in for the source; undefined until the program's first picture. */
  #track: Track | undefined;
  #leave: (() => void) | undefined;
  #look: ReorderLook | undefined;
  /** Sound and events that came before the first picture. */
  #held: { readonly sample: Sample; readonly wallMs: number }[] | undefined;
  #gaveUp = false;
  /** Counts what the packager sees as epochs. */
  #epochs = 0;

  constructor(stream: Stream, rule: PictureRule, sink: StreamSink, parts: PictureParts) {
    this.#stream = stream;
    this.#rule = rule;
    this.#sink = sink;
    this.#parts = parts;
  }

  /** True while a program works for this packager, or would if it could. */
  get busy(): boolean {
    return this.#leave !== undefined || this.#gaveUp;
  }

  cut(cut: Cut): void {
    const source = cut.epoch.tracks.find(({ parameters }) => parameters.kind === 'video');
    this.#cut = cut;
    if (source !== undefined && source === this.#source && this.#leave !== undefined) {
      if (this.#track !== undefined) this.#pass(false);
      return;
    }
    const before = this.#source;
    this.close();
    this.#source = source;
    const parameters = source?.parameters;
    if (parameters?.kind === 'video' && this.#rule.needed(parameters, this.#stream)) {
      this.#begin();
      return;
    }
    if (this.#rule.inOrder && (source !== before || this.#look === undefined)) this.#look = new ReorderLook();
    this.#pass(cut.newEpoch);
  }

  sample(sample: Sample, wallMs: number): void {
    if (sample.track.id === this.#source?.id) {
      if (this.#leave !== undefined) return;
      if (this.#look?.finds(sample) === true) this.#begin();
      else this.#sink.sample(sample, wallMs);
    } else if (this.#held === undefined) this.#sink.sample(sample, wallMs);
    else if (this.#held.length < MAX_HELD) this.#held.push({ sample, wallMs });
  }

  state(state: StreamState, until?: number): void {
    this.#sink.state(state, until);
  }

  /** Ends the work. Safe to call twice. */
  close(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#gaveUp = false;
    this.#track = undefined;
    this.#held = undefined;
  }

  #begin(): void {
    const source = this.#source!;
    this.#look = undefined;
    this.#held = [];
    const { to } = this.#rule;
    const fields = {
      stream: this.#stream.name,
      from: (source.parameters as VideoParameters).codecString,
      to,
    };
    this.#leave = () => undefined;
    const current = (): boolean => this.#source === source && this.#leave !== undefined;
    const leave = this.#parts.pictures.open(this.#stream, source, to, {
      picture: (picture) => {
        if (current()) this.#made(source, picture);
      },
      failed: (reason) => {
        if (!current()) return;
        this.#leave = undefined;
        this.#gaveUp = true;
        this.#parts.log('pictures cannot be turned into another codec', { ...fields, reason });
        this.#stream.warn(
          'PICTURES_NOT_BRIDGED',
          `Some viewers need these pictures as ${to === 'h264' ? 'H.264 without B-frames' : 'VP8'}, which ffmpeg makes; they do not get them: ${reason}.`,
        );
        this.#track = undefined;
        this.#pass(true);
      },
    });
    if (this.#leave === undefined) return;
    this.#leave = leave;
    this.#parts.log('pictures are turned into another codec', fields);
  }

  #made(source: Track, { parameters, time, keyframe, data }: MadePicture): void {
    if (this.#track === undefined || !sameParameters(this.#track.parameters, parameters)) {
      if (!keyframe) return;
      this.#track = { ...source, parameters };
      this.#pass(true);
    }
    const at = ticks(time);
    this.#sink.sample(
      { track: this.#track, dts: at, pts: at, duration: undefined, keyframe, data },
      Date.now(),
    );
  }

  /** Tells the packager the last cut with the tracks that it gets, and what waited for that. */
  #pass(newEpoch: boolean): void {
    const cut = this.#cut!;
    const track = this.#track;
    const tracks = cut.epoch.tracks.map((one) => (one === this.#source && track !== undefined ? track : one));
    if (newEpoch || this.#epochs === 0) this.#epochs++;
    this.#sink.cut({ ...cut, newEpoch, epoch: { number: this.#epochs, tracks } });
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { sample, wallMs } of held) this.#sink.sample(sample, wallMs);
  }
}

/** When a packager behind a bridge is let go. */
export interface PictureBridgeUse<P extends Packager> {
  /** Whether somebody uses it. */
  used(packager: P, stream: Stream): boolean;
  /** True if it is there only for those who ask, whatever its pictures are. */
  readonly onDemand?: boolean;
  /** It is let go: what is built on it has to go first. */
  retired?(stream: Stream): void;
}

/**
 * The same packager with a bridge in front; one object per process, like the kind itself. While a program works for it
 * and nobody uses it for half a minute, the stream lets it go, and the program ends.
 */
export function pictureBridgedKind<P extends Packager>(
  kind: PackagerKind<P>,
  rule: PictureRule,
  parts: PictureParts,
  use: PictureBridgeUse<P>,
): PackagerKind<P> {
  const bridged: PackagerKind<P> = {
    name: kind.name,
    create(stream) {
      const packager = kind.create(stream);
      const own: StreamSink = {
        cut: packager.cut.bind(packager),
        sample: packager.sample.bind(packager),
        state: packager.state.bind(packager),
      };
      const release = packager.close.bind(packager);
      const bridge = new PictureBridge(stream, rule, own, parts);
      let idle = 0;
      const timer = setInterval(() => {
        const needless = (bridge.busy || use.onDemand === true) && !use.used(packager, stream);
        idle = needless ? idle + 1 : 0;
        if (idle < IDLE_LOOKS) return;
        use.retired?.(stream);
        stream.retire(bridged);
      }, LOOK_MS);
      timer.unref();
      return Object.assign(packager, {
        cut: (cut: Cut) => bridge.cut(cut),
        sample: (sample: Sample, wallMs: number) => bridge.sample(sample, wallMs),
        state: (state: StreamState, until?: number) => bridge.state(state, until),
        close() {
          clearInterval(timer);
          bridge.close();
          release();
        },
      });
    },
  };
  return bridged;
}
