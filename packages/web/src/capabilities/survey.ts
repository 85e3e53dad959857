import { detectCapabilities, transportOrder } from '@onair/client/player';
import type { Transport } from '@onair/client/sources';
import { signal } from '@preact/signals';

/** Something that a browser may play or make. */
export interface MediaKind {
  /** What people call it. */
  readonly name: string;
  /** MIME type with the codec string, to be copied. */
  readonly type: string;
  readonly video: boolean;
  /** Codec string alone, as WebCodecs wants it. */
  readonly codec: string;
}

/** What is asked of the browser, the commonest first. */
export const KINDS: readonly MediaKind[] = [
  { name: 'H.264 Baseline', type: 'video/mp4; codecs="avc1.42E01E"', video: true, codec: 'avc1.42E01E' },
  { name: 'H.264 High', type: 'video/mp4; codecs="avc1.640028"', video: true, codec: 'avc1.640028' },
  { name: 'HEVC Main', type: 'video/mp4; codecs="hvc1.1.6.L93.B0"', video: true, codec: 'hvc1.1.6.L93.B0' },
  { name: 'VVC', type: 'video/mp4; codecs="vvc1.1.L51"', video: true, codec: 'vvc1.1.L51' },
  { name: 'AV1 Main', type: 'video/mp4; codecs="av01.0.04M.08"', video: true, codec: 'av01.0.04M.08' },
  { name: 'VP9', type: 'video/webm; codecs="vp09.00.31.08"', video: true, codec: 'vp09.00.31.08' },
  { name: 'VP8', type: 'video/webm; codecs="vp8"', video: true, codec: 'vp8' },
  { name: 'AAC-LC', type: 'audio/mp4; codecs="mp4a.40.2"', video: false, codec: 'mp4a.40.2' },
  { name: 'HE-AAC', type: 'audio/mp4; codecs="mp4a.40.5"', video: false, codec: 'mp4a.40.5' },
  { name: 'Opus (MP4)', type: 'audio/mp4; codecs="opus"', video: false, codec: 'opus' },
  { name: 'Opus (WebM)', type: 'audio/webm; codecs="opus"', video: false, codec: 'opus' },
  { name: 'MP3', type: 'audio/mpeg', video: false, codec: 'mp3' },
  { name: 'FLAC', type: 'audio/mp4; codecs="flac"', video: false, codec: 'flac' },
  { name: 'AC-3', type: 'audio/mp4; codecs="ac-3"', video: false, codec: 'ac-3' },
  { name: 'MPEG-TS', type: 'video/mp2t; codecs="avc1.42E01E"', video: true, codec: 'avc1.42E01E' },
];

/** What a browser does with one kind; undefined while it has not answered. */
export interface KindAnswer {
  readonly file: boolean;
  readonly mse: boolean;
  readonly record: boolean;
  readonly decode: boolean | undefined;
  readonly encode: boolean | undefined;
}

/** Interfaces that are looked for. */
export const INTERFACES = [
  'mse',
  'managed',
  'recorder',
  'webcodecs',
  'webrtc',
  'websocket',
  'hls',
  'eme',
] as const;
/** One of {@link INTERFACES}. */
export type Interface = (typeof INTERFACES)[number];

const KEY_SYSTEMS: Readonly<Record<string, string>> = {
  'com.widevine.alpha': 'Widevine',
  'com.microsoft.playready': 'PlayReady',
  'com.apple.fps': 'FairPlay',
  'org.w3.clearkey': 'Clear Key',
};

interface Scope {
  readonly MediaSource?: { isTypeSupported(type: string): boolean };
  readonly ManagedMediaSource?: { isTypeSupported(type: string): boolean };
  readonly MediaRecorder?: { isTypeSupported(type: string): boolean };
  readonly VideoDecoder?: unknown;
  readonly RTCPeerConnection?: unknown;
  readonly WebSocket?: unknown;
}

/** Asks this browser what it can play and record. */
export class Survey {
  readonly answers = signal<readonly KindAnswer[]>([]);
  /** Protection systems that answer; undefined while they are asked. */
  readonly protection = signal<readonly string[] | undefined>(undefined);
  readonly interfaces: ReadonlySet<Interface>;
  /** Transports that the player tries, best first. */
  readonly order: readonly Transport[];
  readonly #scope = globalThis as Scope;
  readonly #video = document.createElement('video');

  constructor() {
    const scope = this.#scope;
    const found: Readonly<Record<Interface, boolean>> = {
      mse: scope.MediaSource !== undefined,
      managed: scope.ManagedMediaSource !== undefined,
      recorder: scope.MediaRecorder !== undefined,
      webcodecs: scope.VideoDecoder !== undefined,
      webrtc: scope.RTCPeerConnection !== undefined,
      websocket: scope.WebSocket !== undefined,
      hls: this.#video.canPlayType('application/vnd.apple.mpegurl') !== '',
      eme: typeof navigator.requestMediaKeySystemAccess === 'function',
    };
    this.interfaces = new Set(INTERFACES.filter((name) => found[name]));
    this.order = transportOrder('auto', detectCapabilities(this.#video));
  }

  /** Answers come in as the browser gives them. */
  async run(): Promise<void> {
    this.answers.value = KINDS.map((kind) => this.#plain(kind));
    this.answers.value = await Promise.all(
      KINDS.map(async (kind, index) => ({ ...this.answers.value[index]!, ...(await codecs(kind)) })),
    );
    this.protection.value = await protection();
  }

  #plain({ type }: MediaKind): KindAnswer {
    const source = this.#scope.ManagedMediaSource ?? this.#scope.MediaSource;
    return {
      file: this.#video.canPlayType(type) !== '',
      mse: source?.isTypeSupported(type) ?? false,
      record: this.#scope.MediaRecorder?.isTypeSupported(type) ?? false,
      decode: undefined,
      encode: undefined,
    };
  }
}

async function codecs({ video, codec }: MediaKind): Promise<{ decode: boolean; encode: boolean }> {
  const size = { codec, width: 1280, height: 720 };
  const sound = { codec, sampleRate: 48_000, numberOfChannels: 2 };
  if (typeof VideoDecoder === 'undefined') return { decode: false, encode: false };
  const ask = async (question: () => Promise<{ supported?: boolean }>): Promise<boolean> => {
    try {
      return (await question()).supported === true;
    } catch {
      return false; // a codec string that this browser does not know at all
    }
  };
  return {
    decode: await ask(() =>
      video ? VideoDecoder.isConfigSupported(size) : AudioDecoder.isConfigSupported(sound),
    ),
    encode: await ask(() =>
      video ? VideoEncoder.isConfigSupported(size) : AudioEncoder.isConfigSupported(sound),
    ),
  };
}

async function protection(): Promise<string[]> {
  if (typeof navigator.requestMediaKeySystemAccess !== 'function') return [];
  const found: string[] = [];
  for (const [system, name] of Object.entries(KEY_SYSTEMS)) {
    try {
      await navigator.requestMediaKeySystemAccess(system, [
        { initDataTypes: ['cenc'], videoCapabilities: [{ contentType: KINDS[0]!.type }] },
      ]);
      found.push(name);
    } catch {
      // it is not there
    }
  }
  return found;
}
