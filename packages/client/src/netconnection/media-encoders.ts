/** How a camera, a screen or a microphone is encoded. */
export interface AttachOptions {
  /** RFC 6381 string; H.264 if the browser encodes that, else VP9, unless given. */
  readonly videoCodec?: string;
  /** `mp4a.40.2` if the browser encodes that, else `opus`, unless given. */
  readonly audioCodec?: string;
  /** Bits per second. */
  readonly videoBitrate?: number;
  readonly audioBitrate?: number;
  /** Seconds between key frames. */
  readonly keyframeSeconds?: number;
}

/** Whoever takes what was encoded. */
export interface EncodedListener {
  video(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void;
  audio(chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata | undefined): void;
  /** Bytes that wait to leave. */
  waiting(): number;
  failed(error: Error): void;
}

interface Processor<T> {
  readonly readable: ReadableStream<T>;
}
type ProcessorConstructor = new <T>(init: { readonly track: MediaStreamTrack }) => Processor<T>;

/** Tried in this order. */
const VIDEO_CODECS = ['avc1.42E01F', 'avc1.4D0028', 'vp09.00.31.08', 'vp8'] as const;
const AUDIO_CODECS = ['mp4a.40.2', 'opus'] as const;
const DEFAULTS = { videoBitrate: 2_000_000, audioBitrate: 128_000, keyframeSeconds: 2 } as const;
/** With more than this waiting to leave, or to be encoded, pictures are left out. */
const MAX_WAITING_BYTES = 1_048_576;
const MAX_QUEUE = 8;

/** Encodes the tracks of a media stream by WebCodecs. */
export class MediaEncoders {
  readonly #media: MediaStream;
  readonly #options: AttachOptions;
  readonly #listener: EncodedListener;
  readonly #readers: ReadableStreamDefaultReader<VideoFrame | AudioData>[] = [];
  readonly #coders: (VideoEncoder | AudioEncoder)[] = [];
  #closed = false;

  constructor(media: MediaStream, options: AttachOptions, listener: EncodedListener) {
    this.#media = media;
    this.#options = options;
    this.#listener = listener;
  }

  /** Begins. @throws DOMException `NotSupportedError` if this browser encodes nothing of the kind. */
  async start(): Promise<void> {
    const [video] = this.#media.getVideoTracks();
    const [audio] = this.#media.getAudioTracks();
    if (video !== undefined) await this.#startVideo(video);
    if (audio !== undefined) await this.#startAudio(audio);
  }

  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) void reader.cancel().catch(() => undefined);
    for (const coder of this.#coders) if (coder.state !== 'closed') coder.close();
  }

  async #startVideo(track: MediaStreamTrack): Promise<void> {
    const { width = 640, height = 480, frameRate = 30 } = track.getSettings();
    const common = {
      // Coded pictures have even sides.
      width: width & ~1,
      height: height & ~1,
      framerate: frameRate,
      bitrate: this.#options.videoBitrate ?? DEFAULTS.videoBitrate,
      latencyMode: 'realtime',
    } as const;
    const codecs = this.#options.videoCodec === undefined ? VIDEO_CODECS : [this.#options.videoCodec];
    const config = await firstSupported(codecs, async (codec) => {
      const one: VideoEncoderConfig = {
        ...common,
        codec,
        ...(codec.startsWith('avc') ? { avc: { format: 'avc' } } : {}),
      };
      return (await VideoEncoder.isConfigSupported(one)).supported === true ? one : undefined;
    });
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#listener.video(chunk, metadata),
      error: (error) => this.#fail(error),
    });
    this.#coders.push(encoder);
    encoder.configure(config);
    const keyUs = (this.#options.keyframeSeconds ?? DEFAULTS.keyframeSeconds) * 1e6;
    let lastKey = Number.NEGATIVE_INFINITY;
    const place = placer();
    this.#read<VideoFrame>(track, (frame) => {
      const busy = encoder.encodeQueueSize > MAX_QUEUE || this.#listener.waiting() > MAX_WAITING_BYTES;
      if (busy || encoder.state !== 'configured') return;
      const timestamp = place(frame.timestamp);
      const keyFrame = timestamp - lastKey >= keyUs;
      if (keyFrame) lastKey = timestamp;
      const moved = new VideoFrame(frame, { timestamp });
      encoder.encode(moved, { keyFrame });
      moved.close();
    });
  }

  async #startAudio(track: MediaStreamTrack): Promise<void> {
    const { sampleRate = 48_000, channelCount = 1 } = track.getSettings();
    const codecs = this.#options.audioCodec === undefined ? AUDIO_CODECS : [this.#options.audioCodec];
    const bitrate = this.#options.audioBitrate ?? DEFAULTS.audioBitrate;
    const config = await firstSupported(codecs, async (codec) => {
      const one: AudioEncoderConfig = { codec, sampleRate, numberOfChannels: channelCount, bitrate };
      return (await AudioEncoder.isConfigSupported(one)).supported === true ? one : undefined;
    });
    const place = placer();
    let shift = 0;
    const encoder = new AudioEncoder({
      output: (chunk, metadata) => this.#listener.audio(shifted(chunk, shift), metadata),
      error: (error) => this.#fail(error),
    });
    this.#coders.push(encoder);
    encoder.configure(config);
    this.#read<AudioData>(track, (data) => {
      shift = place(data.timestamp) - data.timestamp;
      if (encoder.state === 'configured') encoder.encode(data);
    });
  }

  #read<T extends VideoFrame | AudioData>(track: MediaStreamTrack, take: (item: T) => void): void {
    const { MediaStreamTrackProcessor: Processor } = globalThis as unknown as {
      MediaStreamTrackProcessor?: ProcessorConstructor;
    };
    if (Processor === undefined) throw new DOMException('no MediaStreamTrackProcessor', 'NotSupportedError');
    const reader = new Processor<T>({ track }).readable.getReader();
    this.#readers.push(reader as ReadableStreamDefaultReader<VideoFrame | AudioData>);
    const pump = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#closed) {
          value?.close();
          return;
        }
        try {
          take(value);
        } finally {
          value.close();
        }
      }
    };
    pump().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#listener.failed(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Camera and microphone count from different zeros: each begins when its first piece came. µs. */
function placer(): (timestamp: number) => number {
  let shift: number | undefined;
  return (timestamp) => {
    shift ??= Math.round(performance.now() * 1000) - timestamp;
    return timestamp + shift;
  };
}

function shifted(chunk: EncodedAudioChunk, shift: number): EncodedAudioChunk {
  const data = new Uint8Array(chunk.byteLength);
  chunk.copyTo(data);
  return new EncodedAudioChunk({ type: chunk.type, timestamp: chunk.timestamp + shift, data });
}

async function firstSupported<T>(
  codecs: readonly string[],
  look: (codec: string) => Promise<T | undefined>,
): Promise<T> {
  for (const codec of codecs) {
    const found = await look(codec).catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new DOMException(`this browser encodes none of ${codecs.join(', ')}`, 'NotSupportedError');
}
