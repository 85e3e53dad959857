/** What a {@link ShownStream} needs of a browser; tests have their own. */
export interface ShownMedia {
  stream(): MediaStream;
  /** Resolves once the track's first picture is decoded, or it is clear that none will come soon. */
  ready(track: MediaStreamTrack): Promise<void>;
}

/** Longest wait for the first picture of a track, ms. */
const READY_MS = 8000;

/** The browser's own. */
export const browserMedia: ShownMedia = {
  stream: () => new MediaStream(),
  ready: (track) =>
    new Promise((resolve) => {
      const video = document.createElement('video');
      const done = (): void => {
        clearTimeout(timer);
        video.srcObject = null;
        resolve();
      };
      const timer = setTimeout(done, READY_MS);
      if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(done);
      else (video as HTMLVideoElement).addEventListener('loadeddata', done);
      video.muted = true;
      video.srcObject = new MediaStream([track]);
      video.play().catch(() => undefined);
    }),
};

/**
 * What a watcher sees: one stream for the page, whose tracks come from one connection after another. A new connection
 * takes over when its first picture is there, so that nothing is seen of the change.
 */
export class ShownStream {
  readonly #media: ShownMedia;
  readonly #show: (stream: MediaStream | undefined) => void;
  #stream: MediaStream | undefined;
  #turn = 0;

  /** @param show the stream, which stays this object's; undefined for none. */
  constructor(media: ShownMedia, show: (stream: MediaStream | undefined) => void) {
    this.#media = media;
    this.#show = show;
  }

  /** What is shown; undefined for nothing. */
  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** True while there is a picture, be it one that stands still. */
  get present(): boolean {
    return this.#stream !== undefined;
  }

  /**
   * Shows these tracks: at once if nothing is shown, else once they have a picture. `taken` is called then, and never if
   * something else comes between.
   */
  take(tracks: readonly MediaStreamTrack[], taken: () => void): void {
    const turn = ++this.#turn;
    if (this.#stream === undefined) {
      this.#stream = this.#media.stream();
      this.#swap(this.#stream, tracks);
      this.#show(this.#stream);
      taken();
      return;
    }
    const video = tracks.find(({ kind }) => kind === 'video');
    const ready = video === undefined ? Promise.resolve() : this.#media.ready(video);
    void ready.then(() => {
      if (turn !== this.#turn || this.#stream === undefined) return;
      this.#swap(this.#stream, tracks);
      taken();
    });
  }

  /** Shows nothing any more. */
  clear(): void {
    this.#turn++;
    if (this.#stream === undefined) return;
    this.#stream = undefined;
    this.#show(undefined);
  }

  #swap(stream: MediaStream, tracks: readonly MediaStreamTrack[]): void {
    for (const old of stream.getTracks()) if (!tracks.includes(old)) stream.removeTrack(old);
    for (const track of tracks) stream.addTrack(track);
  }
}
