import { pickRecordingType, UploadPublisher, type UploadStatus } from '@onair/client/publish';
import { signal } from '@preact/signals';

/** How often the recorder hands out what it has, in milliseconds. */
const TIMESLICE_MS = 500;
/** Bits per second of the picture for each pixel shown, and the most of it. */
const BITS_PER_PIXEL = 2.5;
const MAX_VIDEO_BITS = 6_000_000;
const AUDIO_BITS = 128_000;
/** A key frame so often lets viewers join soon, in milliseconds. */
const KEYFRAME_MS = 2_000;

/** `MediaRecorder` options that not every browser has. */
interface RecorderOptions extends MediaRecorderOptions {
  readonly videoKeyFrameIntervalDuration?: number;
}

/** One recording from its first to its last byte. */
export class Take {
  readonly status = signal<UploadStatus>({ state: 'connecting', queued: 0, stored: 0 });
  /** ms since the Unix epoch. */
  readonly startedMs = Date.now();
  /** `APP/NAME`. */
  readonly stream: string;
  readonly recording = signal(true);
  readonly #recorder: MediaRecorder;
  readonly #publisher: UploadPublisher;
  /** Blobs become bytes one after the other. */
  #work: Promise<void> = Promise.resolve();
  #lock: WakeLockSentinel | undefined;

  /** @throws Error where the browser cannot record the media. */
  constructor(media: MediaStream, stream: string, key: string) {
    this.stream = stream;
    const [picture] = media.getVideoTracks();
    const type = pickRecordingType(picture !== undefined, (one) => MediaRecorder.isTypeSupported(one));
    const { width = 1280, height = 720 } = picture?.getSettings() ?? {};
    const options: RecorderOptions = {
      ...(type === undefined ? {} : { mimeType: type }),
      videoBitsPerSecond: Math.min(MAX_VIDEO_BITS, Math.round(width * height * BITS_PER_PIXEL)),
      audioBitsPerSecond: AUDIO_BITS,
      videoKeyFrameIntervalDuration: KEYFRAME_MS,
    };
    this.#recorder = new MediaRecorder(media, options);
    this.#publisher = new UploadPublisher({
      server: location.origin,
      stream,
      key,
      onStatus: (status) => this.#told(status),
    });
    this.#recorder.ondataavailable = ({ data }) => {
      this.#work = this.#work.then(async () =>
        this.#publisher.push(new Uint8Array(await data.arrayBuffer())),
      );
    };
    this.#recorder.onstop = () => this.#stopped();
    this.#recorder.onerror = () => this.stop();
    this.#recorder.start(TIMESLICE_MS);
    void this.#keepAwake();
  }

  /** Ends the recording; what is not sent yet is sent. */
  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #stopped(): void {
    this.recording.value = false;
    void this.#lock?.release();
    void this.#work.then(() => this.#publisher.end());
  }

  #told(status: UploadStatus): void {
    this.status.value = status;
    if (status.state === 'failed') this.stop();
  }

  /** A phone that goes to sleep stops recording. */
  async #keepAwake(): Promise<void> {
    const wakeLock = (navigator as { readonly wakeLock?: WakeLock }).wakeLock;
    this.#lock = await wakeLock?.request('screen').catch(() => undefined);
    if (!this.recording.peek()) void this.#lock?.release();
  }
}
