import { pickRecordingType, UploadPublisher, type UploadStatus } from '@onair/client/publish';
import { signal } from '@preact/signals';
import { keepAwake } from './wake-lock.ts';

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
  #recorder: MediaRecorder;
  readonly #publisher: UploadPublisher;
  /** Blobs become bytes one after the other. */
  #work: Promise<void> = Promise.resolve();
  readonly #sleep: () => void;

  /** @throws Error where the browser cannot record the media. */
  constructor(media: MediaStream, stream: string, key: string) {
    this.stream = stream;
    this.#recorder = recorderOf(media);
    this.#publisher = new UploadPublisher({
      server: location.origin,
      stream,
      key,
      onStatus: (status) => this.#told(status),
    });
    this.#record();
    this.#sleep = keepAwake();
  }

  /**
   * Goes on with another picture or sound, e.g. of another camera: its recording is joined to what there is. What was
   * recorded until now must not be stopped before.
   * @throws Error where the browser cannot record the media.
   */
  replace(media: MediaStream): void {
    if (this.#recorder.state === 'inactive') return;
    const next = recorderOf(media);
    this.#recorder.onstop = () => {
      this.#recorder = next;
      this.#record();
    };
    this.#recorder.stop();
  }

  /** Ends the recording; what is not sent yet is sent. */
  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #record(): void {
    const recorder = this.#recorder;
    recorder.ondataavailable = ({ data }) => {
      this.#work = this.#work.then(async () =>
        this.#publisher.push(new Uint8Array(await data.arrayBuffer())),
      );
    };
    recorder.onstop = () => this.#stopped();
    recorder.onerror = () => this.stop();
    recorder.start(TIMESLICE_MS);
  }

  #stopped(): void {
    this.recording.value = false;
    this.#sleep();
    void this.#work.then(() => this.#publisher.end());
  }

  #told(status: UploadStatus): void {
    this.status.value = status;
    if (status.state === 'failed') this.stop();
  }
}

function recorderOf(media: MediaStream): MediaRecorder {
  const [picture] = media.getVideoTracks();
  const type = pickRecordingType(picture !== undefined, (one) => MediaRecorder.isTypeSupported(one));
  const { width = 1280, height = 720 } = picture?.getSettings() ?? {};
  const options: RecorderOptions = {
    ...(type === undefined ? {} : { mimeType: type }),
    videoBitsPerSecond: Math.min(MAX_VIDEO_BITS, Math.round(width * height * BITS_PER_PIXEL)),
    audioBitsPerSecond: AUDIO_BITS,
    videoKeyFrameIntervalDuration: KEYFRAME_MS,
  };
  return new MediaRecorder(media, options);
}
