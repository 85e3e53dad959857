/** What of `TimeRanges` the engine reads. Seconds. */
export interface TimeRangesPort {
  readonly length: number;
  start(index: number): number;
  end(index: number): number;
}

/** What of `SourceBuffer` the append queue uses, so that a test can stand in for the browser. */
export interface BufferPort {
  readonly updating: boolean;
  readonly buffered: TimeRangesPort;
  appendBuffer(data: Uint8Array<ArrayBuffer>): void;
  remove(start: number, end: number): void;
  changeType?(mime: string): void;
  addEventListener(type: 'updateend' | 'error', listener: () => void): void;
  removeEventListener(type: 'updateend' | 'error', listener: () => void): void;
}

/** What of `MediaSource` and `ManagedMediaSource` the engine uses. */
export interface MediaSourcePort {
  readonly readyState: 'closed' | 'ended' | 'open';
  duration: number;
  addSourceBuffer(mime: string): BufferPort;
  setLiveSeekableRange?(start: number, end: number): void;
  endOfStream?(): void;
  addEventListener(type: MediaSourceEvent, listener: () => void): void;
  removeEventListener(type: MediaSourceEvent, listener: () => void): void;
}

/** Events of a media source the engine listens to; the last two come from `ManagedMediaSource` only. */
export type MediaSourceEvent = 'sourceopen' | 'startstreaming' | 'endstreaming';

/** What of `HTMLMediaElement` the engine uses. Times are seconds. */
export interface MediaPort {
  currentTime: number;
  playbackRate: number;
  preservesPitch: boolean;
  readonly paused: boolean;
  readonly seeking: boolean;
  readonly readyState: number;
  readonly error: { readonly code: number; readonly message: string } | null;
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** Makes media sources and ties them to the media element; the browser's or a test's. */
export interface MediaSourcePlatform {
  /** True where each change of the playback rate is heard or seen, so that it is to stay 1. */
  readonly steadyRate?: boolean;
  /** True if this kind of media source plays `mime`. */
  supports(mime: string): boolean;
  /** A new media source, its address given to the media element. `detach` takes it away again. */
  attach(): { readonly source: MediaSourcePort; readonly detach: () => void };
}
