import type {
  BufferPort,
  MediaPort,
  MediaSourceEvent,
  MediaSourcePlatform,
  MediaSourcePort,
} from '@onair/client/engine';

type Listener = () => void;

/** Listeners by event name, as every browser object has them. */
class Listeners {
  readonly #all = new Map<string, Set<Listener>>();

  addEventListener(type: string, listener: Listener): void {
    const set = this.#all.get(type) ?? new Set();
    this.#all.set(type, set.add(listener));
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#all.get(type)?.delete(listener);
  }

  emit(type: string): void {
    for (const listener of [...(this.#all.get(type) ?? [])]) listener();
  }

  /** Listeners that are still there. */
  get count(): number {
    let count = 0;
    for (const set of this.#all.values()) count += set.size;
    return count;
  }
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly size: number;
}

/** Bytes that a {@link FakeBuffer} takes for media from `start` to `end` seconds. @param size bytes, at least 24 */
export function fakeMedia(start: number, end: number, size = 24): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, start);
  view.setFloat64(8, end);
  view.setUint32(16, size);
  return bytes;
}

/** A source buffer that keeps spans; finishes each operation in a microtask. */
export class FakeBuffer extends Listeners implements BufferPort {
  updating = false;
  /** What was asked for, e.g. `append 48`, `remove 0-10`, `type video/mp4`. */
  readonly log: string[] = [];
  /** Bytes held before `QuotaExceededError` is thrown. */
  quota = Number.POSITIVE_INFINITY;
  mime: string;
  #pieces: Piece[] = [];

  constructor(mime: string) {
    super();
    this.mime = mime;
  }

  get buffered(): { length: number; start(i: number): number; end(i: number): number } {
    const spans: { start: number; end: number }[] = [];
    for (const { start, end } of [...this.#pieces].sort((a, b) => a.start - b.start)) {
      const last = spans.at(-1);
      if (last !== undefined && start <= last.end + 0.001) last.end = Math.max(last.end, end);
      else spans.push({ start, end });
    }
    return { length: spans.length, start: (i) => spans[i]!.start, end: (i) => spans[i]!.end };
  }

  appendBuffer(data: Uint8Array): void {
    if (this.updating) throw new DOMException('busy', 'InvalidStateError');
    const pieces: Piece[] = [];
    for (let at = 0; at + 24 <= data.length; ) {
      const view = new DataView(data.buffer, data.byteOffset + at);
      const size = view.getUint32(16);
      pieces.push({ start: view.getFloat64(0), end: view.getFloat64(8), size });
      at += size;
    }
    const held = [...this.#pieces, ...pieces].reduce((sum, one) => sum + one.size, 0);
    if (held > this.quota) throw new DOMException('full', 'QuotaExceededError');
    this.log.push(`append ${data.length}`);
    this.#finish(() => this.#pieces.push(...pieces));
  }

  remove(start: number, end: number): void {
    if (this.updating) throw new DOMException('busy', 'InvalidStateError');
    this.log.push(`remove ${start}-${end}`);
    this.#finish(() => {
      this.#pieces = this.#pieces.filter((one) => one.start < start || one.start >= end);
    });
  }

  changeType(mime: string): void {
    this.log.push(`type ${mime}`);
    this.mime = mime;
  }

  #finish(change: () => void): void {
    this.updating = true;
    queueMicrotask(() => {
      change();
      this.updating = false;
      this.emit('updateend');
    });
  }
}

/** A media source that opens in a microtask. */
export class FakeMediaSource extends Listeners implements MediaSourcePort {
  readyState: 'closed' | 'ended' | 'open' = 'closed';
  duration = Number.NaN;
  readonly buffers: FakeBuffer[] = [];

  override addEventListener(type: MediaSourceEvent, listener: Listener): void {
    super.addEventListener(type, listener);
  }

  addSourceBuffer(mime: string): FakeBuffer {
    const buffer = new FakeBuffer(mime);
    this.buffers.push(buffer);
    return buffer;
  }

  open(): void {
    this.readyState = 'open';
    this.emit('sourceopen');
  }
}

/** A platform whose sources and buffers a test can look at. */
export class FakePlatform implements MediaSourcePlatform {
  readonly sources: FakeMediaSource[] = [];
  attached = 0;
  unsupported: readonly string[] = [];

  supports(mime: string): boolean {
    return !this.unsupported.includes(mime);
  }

  attach(): { source: FakeMediaSource; detach: () => void } {
    const source = new FakeMediaSource();
    this.sources.push(source);
    this.attached++;
    queueMicrotask(() => source.open());
    return {
      source,
      detach: () => {
        source.readyState = 'closed';
        this.attached--;
      },
    };
  }

  /** The newest media source. */
  get source(): FakeMediaSource {
    return this.sources.at(-1)!;
  }
}

/** A media element whose position moves with the (fake) clock as long as there is media. */
export class FakeMedia extends Listeners implements MediaPort {
  playbackRate = 1;
  preservesPitch = false;
  paused = false;
  seeking = false;
  readyState = 4;
  error: { code: number; message: string } | null = null;
  readonly seeks: number[] = [];
  #position = 0;
  #at = performance.now();
  readonly #platform: FakePlatform;
  /** True: the position stands although there is media, as a broken decoder does. */
  frozen = false;

  constructor(platform: FakePlatform) {
    super();
    this.#platform = platform;
  }

  get currentTime(): number {
    const now = performance.now();
    const elapsed = (now - this.#at) / 1000;
    this.#at = now;
    if (!this.paused && !this.frozen) {
      const end = this.#end(this.#position);
      if (end !== undefined) this.#position = Math.min(end, this.#position + elapsed * this.playbackRate);
    }
    return this.#position;
  }

  set currentTime(position: number) {
    this.#position = position;
    this.#at = performance.now();
    this.seeks.push(position);
    this.emit('seeking');
  }

  #end(position: number): number | undefined {
    const buffers = this.#platform.sources.at(-1)?.buffers ?? [];
    let end: number | undefined;
    for (const { buffered } of buffers) {
      let own: number | undefined;
      for (let i = 0; i < buffered.length; i++) {
        if (position >= buffered.start(i) - 0.001 && position <= buffered.end(i)) own = buffered.end(i);
      }
      if (own === undefined) return undefined;
      end = Math.min(end ?? own, own);
    }
    return end;
  }
}
