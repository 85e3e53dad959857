import {
  decodeFileServerText,
  FILE_SUBPROTOCOL,
  type FileClientText,
  type FileHello,
} from '@onair/contracts/file-socket';
import { decodeFmp4Message, type Fmp4TrackInfo } from '@onair/contracts/fmp4-socket';
import type { MediaPort, MediaSourcePlatform } from '../engine/ports.ts';
import { aheadOf, jumpTarget } from '../engine/ranges.ts';
import { BackOff } from '../sources/back-off.ts';
import {
  leave,
  listenTo,
  type OpenSocket,
  openSocket,
  type SocketPort,
  sendJson,
} from '../sources/socket-port.ts';
import { WebmTracks } from '../sources/webm-tracks.ts';
import { FileBuffers } from './file-buffers.ts';

/** What a {@link FilePlayer} works with. */
export interface FilePlayerOptions {
  /** `ws(s)://HOST/files/media/NAME`. */
  readonly address: string;
  readonly media: MediaPort;
  readonly platform: MediaSourcePlatform;
  /** Opens a socket; the browser's by default. */
  readonly open?: OpenSocket;
}

/** One message on the wire. */
export interface WireMessage {
  readonly direction: 'in' | 'out';
  /** What it is, as the protocol calls it: `want`, `chunk`. */
  readonly name: string;
  /** Bytes of a binary message, else 0. */
  readonly bytes: number;
  /** For people: `video 4.00 s + 0.50 s`. */
  readonly detail: string;
}

/** What a {@link FilePlayer} tells. */
export interface FilePlayerListener {
  /** Each message, as it is sent or comes. */
  wire(message: WireMessage): void;
  /** It gives up. */
  failed(error: Error): void;
}

/** Figures of a file that plays. */
export interface FileFigures {
  readonly hello: FileHello | undefined;
  /** RFC 6381 strings. */
  readonly codecs: string;
  /** Bytes that came over the WebSocket. */
  readonly received: number;
  /** Bytes that the server has read of the file. */
  readonly read: number;
  /** Seconds of media ahead of the position. */
  readonly ahead: number;
  /** Seconds up to which the server was asked to send. */
  readonly wanted: number;
  readonly seeks: number;
}

/** Most media that is asked for ahead of the position, in seconds and in bytes. */
const AHEAD_SECONDS = 20;
const AHEAD_BYTES = 16 * 1024 * 1024;
/** Least media that is asked for ahead, whatever its size, in seconds. */
const LEAST_AHEAD = 2;
/** More is asked for when it is so much, in seconds. */
const WANT_STEP = 1;
const LOOK_MS = 250;
/** A hole in the media no longer than this is stepped over, in seconds. */
const SMALL_HOLE = 1;
/**
 * Milliseconds in which browsers go on over a hole by themselves, as they do at the beginning of a file. WebKitGTK often
 * fails for good where the position changes while it gets ready.
 */
const HOLE_MS = 1500;
/**
 * Milliseconds after which a seek is told anew where all of its media is there; twice as many for each time more.
 * WebKitGTK now and then never gets there, and does when it is told again.
 */
const SEEK_MS = 2500;
/** Close code for a file that cannot be played. */
const CLOSE_UNACCEPTABLE = 1003;

/**
 * Plays a media file that the server sends over a WebSocket in fragments (`docs/protocols/ws-file.md`): from anywhere, and
 * only as much as is needed. While the media element is paused nothing is asked for.
 */
export class FilePlayer {
  readonly #options: FilePlayerOptions;
  readonly #listener: FilePlayerListener;
  readonly #webm: WebmTracks;
  readonly #backOff = new BackOff();
  readonly #look: ReturnType<typeof setInterval>;
  readonly #heard = { seeking: () => this.#seeking(), seeked: () => this.#seeked() };
  #socket: SocketPort | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #buffers: FileBuffers | undefined;
  #hello: FileHello | undefined;
  #figures = { codecs: '', received: 0, read: 0, wanted: -1, seeks: 0 };
  readonly #seek = {
    /** Of the one whose media is taken. */
    id: 0,
    /** Its media is still to come. */
    pending: true,
    /** The last position gone to that was told. */
    at: 0,
    /** The browser was content before the media of that position was there. */
    early: false,
    /** Since when the browser is stuck in front of a hole, by `performance.now()`. */
    stuck: Number.POSITIVE_INFINITY,
    /** Since when it is on its way to a place whose media it has, and how often it was told that place again. */
    going: Number.POSITIVE_INFINITY,
    told: 0,
  };

  constructor(options: FilePlayerOptions, listener: FilePlayerListener) {
    this.#options = options;
    this.#listener = listener;
    this.#webm = new WebmTracks((mime) => options.platform.supports(mime));
    options.media.addEventListener('seeking', this.#heard.seeking);
    options.media.addEventListener('seeked', this.#heard.seeked);
    this.#look = setInterval(() => this.#tick(), LOOK_MS);
  }

  /** Opens the connection; what follows comes by itself. */
  start(): void {
    const socket = (this.#options.open ?? openSocket)(this.#options.address, FILE_SUBPROTOCOL);
    this.#socket = socket;
    listenTo(socket, {
      text: (text) => this.#text(text),
      binary: (bytes) => this.#binary(bytes),
      closed: (code, reason) => this.#closed(code, reason),
      malformed: (error) => this.#fail(error),
    });
  }

  get figures(): FileFigures {
    const ahead = aheadOf(this.#buffers?.spans ?? [], this.#options.media.currentTime);
    return { ...this.#figures, hello: this.#hello, ahead };
  }

  /** Lets go of everything. Safe to call twice. */
  close(): void {
    clearInterval(this.#look);
    clearTimeout(this.#retry);
    this.#options.media.removeEventListener('seeking', this.#heard.seeking);
    this.#options.media.removeEventListener('seeked', this.#heard.seeked);
    if (this.#socket !== undefined) leave(this.#socket);
    this.#socket?.close(1000);
    this.#socket = undefined;
    this.#buffers?.close();
    this.#buffers = undefined;
  }

  #text(text: string): void {
    const message = decodeFileServerText(text);
    switch (message.type) {
      case 'hello': {
        const { container, duration } = message;
        this.#tell('in', 'hello', 0, `${container}, ${duration.toFixed(2)} s`);
        this.#backOff.reset();
        this.#hello = message;
        break;
      }
      case 'seeked':
        this.#tell('in', 'seeked', 0, `#${message.id} ${message.start.toFixed(2)} s`);
        if (message.id === this.#seek.id) this.#seek.pending = false;
        break;
      case 'read':
        this.#figures.read = message.bytes;
        break;
      case 'end':
        this.#tell('in', 'end', 0, '');
        this.#end(this.#seek.id);
        break;
      case 'error':
        this.#fail(new Error(message.detail));
        break;
    }
  }

  #binary(bytes: Uint8Array): void {
    this.#figures.received += bytes.length;
    const message = decodeFmp4Message(bytes);
    const { header } = message;
    switch (message.kind) {
      case 'epoch':
        this.#tell('in', 'epoch', bytes.length, message.epoch.tracks.map(({ mime }) => mime).join(', '));
        this.#begin(message.epoch.tracks);
        break;
      case 'init':
        this.#tell('in', 'init', bytes.length, this.#kindOf(header.track));
        this.#webm.init(header.track, message.payload, (init) => this.#buffers?.init(header.track, init));
        break;
      case 'chunk': {
        const start = (header.time + header.compositionOffset) / 1e6;
        const length = header.duration / 1e6;
        const span = `${start.toFixed(2)} s + ${length.toFixed(2)} s`;
        this.#tell('in', 'chunk', bytes.length, `${this.#kindOf(header.track)} ${span}`);
        // What was on its way when the viewer jumped is of no use.
        const { id, pending } = this.#seek;
        if (pending) return;
        this.#webm.chunk(header.track, message.payload, (media) => {
          if (this.#seek.id !== id) return;
          this.#buffers?.append(header.track, media, header.independent ? start : undefined);
        });
        break;
      }
      default:
        break;
    }
  }

  /** Nothing follows; but media may still wait for the code that wraps it. */
  #end(id: number): void {
    this.#webm.after(() => {
      if (this.#seek.id === id && !this.#seek.pending) this.#buffers?.complete();
    });
  }

  #begin(infos: readonly Fmp4TrackInfo[]): void {
    const { media, platform } = this.#options;
    this.#figures.codecs = infos.map(({ codecString }) => codecString).join(', ');
    const tracks = this.#webm.tracks(infos);
    const missing = tracks.find(({ mime }) => !platform.supports(mime));
    if (missing !== undefined) {
      this.#fail(new Error(`this browser does not play ${missing.mime}`));
      return;
    }
    if (this.#buffers !== undefined) {
      // The connection was lost and is there again: on from where the viewer is.
      this.#jump();
      return;
    }
    this.#buffers = new FileBuffers(platform, tracks, this.#hello?.duration ?? 0, {
      position: () => media.currentTime,
      changed: () => this.#tick(),
      failed: (error) => this.#fail(error),
    });
    this.#want();
  }

  #kindOf(track: number): string {
    return track === 1 ? 'video' : 'audio';
  }

  #seeking(): void {
    const { currentTime } = this.#options.media;
    if (currentTime !== this.#seek.at) this.#seek.told = 0;
    this.#seek.at = currentTime;
    this.#seek.early = false;
    if (this.#buffers !== undefined && !this.#isBuffered(currentTime)) this.#jump();
    else this.#want();
  }

  /** Firefox takes a picture up to half a second later for the one that is asked for, if it has no other. */
  #seeked(): void {
    this.#seek.told = 0;
    this.#seek.early = this.#seek.pending || !this.#isBuffered(this.#options.media.currentTime);
  }

  #isBuffered(time: number): boolean {
    return this.#buffers?.spans.some(({ start, end }) => time >= start - 0.1 && time < end) ?? false;
  }

  /** What is buffered is of no use where the viewer is: begin anew there. */
  #jump(): void {
    const id = this.#seek.id + 1;
    this.#seek.id = id;
    this.#seek.pending = true;
    this.#figures.seeks++;
    this.#figures.wanted = -1;
    this.#buffers?.clear();
    const to = Math.max(0, this.#options.media.currentTime);
    this.#send({ type: 'seek', id, to }, `#${id} ${to.toFixed(2)} s`);
    this.#want();
  }

  #tick(): void {
    this.#want();
    const { media } = this.#options;
    const { early, pending } = this.#seek;
    if (early && !pending && this.#isBuffered(this.#seek.at)) media.currentTime = this.#seek.at;
    this.#goOn();
    const spans = this.#buffers?.spans ?? [];
    const { stuck } = this.#seek;
    this.#seek.stuck = Number.POSITIVE_INFINITY;
    if (media.readyState >= 3 || this.#seek.pending) return;
    // The position changes before its event comes: what is buffered then is that of the place before.
    if (media.seeking && media.currentTime !== this.#seek.at) return;
    const target = jumpTarget(spans, media.currentTime);
    if (target === undefined || target - media.currentTime >= SMALL_HOLE) return;
    this.#seek.stuck = Math.min(stuck, performance.now());
    if (performance.now() - this.#seek.stuck < HOLE_MS) return;
    this.#seek.stuck = Number.POSITIVE_INFINITY;
    media.currentTime = target;
  }

  /** Tells the browser once more where to go, if it has been on its way there for too long. */
  #goOn(): void {
    const { media } = this.#options;
    const { at, pending, going, told } = this.#seek;
    this.#seek.going = Number.POSITIVE_INFINITY;
    if (!media.seeking || pending || media.currentTime !== at || !this.#isBuffered(at)) return;
    this.#seek.going = Math.min(going, performance.now());
    if (performance.now() - this.#seek.going < SEEK_MS * 2 ** told) return;
    this.#seek.going = Number.POSITIVE_INFINITY;
    this.#seek.told++;
    media.currentTime = at;
  }

  #want(): void {
    if (this.#hello === undefined || this.#buffers === undefined) return;
    const { duration, size } = this.#hello;
    const room = size > 0 ? (AHEAD_BYTES / size) * duration : AHEAD_SECONDS;
    const ahead = Math.max(LEAST_AHEAD, Math.min(AHEAD_SECONDS, room));
    const until = Math.min(duration, this.#options.media.currentTime + ahead);
    const { wanted } = this.#figures;
    if (until < wanted + WANT_STEP && (until < duration || wanted >= duration)) return;
    this.#figures.wanted = until;
    this.#send({ type: 'want', until }, `${until.toFixed(2)} s`);
  }

  #send(message: FileClientText, detail: string): void {
    if (sendJson(this.#socket, message)) this.#tell('out', message.type, 0, detail);
  }

  #tell(direction: 'in' | 'out', name: string, bytes: number, detail: string): void {
    this.#listener.wire({ direction, name, bytes, detail });
  }

  #closed(code: number, reason: string): void {
    this.#socket = undefined;
    if (code === CLOSE_UNACCEPTABLE || this.#backOff.exhausted) {
      this.#fail(new Error(reason || 'no connection by WebSocket'));
      return;
    }
    this.#retry = setTimeout(() => this.start(), this.#backOff.next());
  }

  #fail(error: Error): void {
    this.close();
    this.#listener.failed(error);
  }
}
