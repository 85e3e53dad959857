import type { FileFigures, FilePlayer, WireMessage } from '@onair/client/file';
import { decodeMediaFileList, type MediaFileList } from '@onair/contracts/file-socket';
import { signal } from '@preact/signals';
import { ApiFault } from '../api/api-client.ts';

/** Bytes that are sent in one request; a request has a deadline, a file has none. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Messages of the wire that are shown. */
const SHOWN_MESSAGES = 60;
const LOOK_MS = 250;

/** A file on its way to the server. */
export interface Adding {
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
}

/** A message of the wire with a number of its own. */
export interface ShownMessage extends WireMessage {
  readonly id: number;
  /** Milliseconds since the file was chosen. */
  readonly at: number;
}

/** The files of the server, the one that plays, and what goes over the wire. */
export class FilesView {
  readonly list = signal<MediaFileList | undefined>(undefined);
  readonly adding = signal<Adding | undefined>(undefined);
  readonly failure = signal<string | undefined>(undefined);
  /** Name of the file that plays. */
  readonly playing = signal<string | undefined>(undefined);
  readonly figures = signal<FileFigures | undefined>(undefined);
  /** The newest first. */
  readonly wire = signal<readonly ShownMessage[]>([]);
  #player: FilePlayer | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #began = 0;
  #count = 0;

  /** Asks for the files. */
  async load(): Promise<void> {
    await this.#trying(async () => {
      this.list.value = decodeMediaFileList(await ask('/files/list', {}));
    });
  }

  /** Sends files to the server, one after another, each in pieces. @param key the stream key, where one is needed. */
  async add(files: readonly File[], key: string): Promise<void> {
    await this.#trying(async () => {
      for (const file of files) await this.#addOne(file, key);
    });
    this.adding.value = undefined;
    await this.load();
  }

  /** Deletes a file. */
  async remove(name: string, key: string): Promise<void> {
    await this.#trying(() => ask(withKey(addressOf(name), key), { method: 'DELETE' }));
    if (this.playing.peek() === name) this.stop();
    await this.load();
  }

  /** Plays a file instead of the one before. */
  async play(name: string, media: HTMLVideoElement): Promise<void> {
    this.stop();
    this.failure.value = undefined;
    this.playing.value = name;
    this.#began = performance.now();
    const { FilePlayer, browserPlatform } = await import('./player-engine.ts');
    const platform = browserPlatform(media);
    if (this.playing.peek() !== name) return;
    if (platform === undefined) {
      this.failure.value = 'Media Source Extensions';
      return;
    }
    const address = new URL(addressOf(name), location.href.replace(/^http/, 'ws')).href;
    const begin = (): Promise<void> => media.play().catch(() => undefined); // the browser may want a click: the controls are there
    // Browsers pause an element that is given another source while they still look for the one before.
    const attach: typeof platform.attach = () => {
      const attached = platform.attach();
      void begin();
      return attached;
    };
    this.#player = new FilePlayer(
      { address, media, platform: { ...platform, attach } },
      { wire: (message) => this.#note(message), failed: (error) => this.#failed(error) },
    );
    this.#timer = setInterval(() => {
      this.figures.value = this.#player?.figures;
    }, LOOK_MS);
    this.#player.start();
    await begin();
  }

  /** Lets the file that plays go. */
  stop(): void {
    clearInterval(this.#timer);
    this.#player?.close();
    this.#player = undefined;
    this.playing.value = undefined;
    this.figures.value = undefined;
    this.wire.value = [];
  }

  #note(message: WireMessage): void {
    const shown = { ...message, id: this.#count++, at: performance.now() - this.#began };
    this.wire.value = [shown, ...this.wire.peek().slice(0, SHOWN_MESSAGES - 1)];
  }

  #failed(error: Error): void {
    clearInterval(this.#timer);
    this.failure.value = error.message;
  }

  async #addOne(file: File, key: string): Promise<void> {
    for (let offset = 0; offset < file.size || offset === 0; offset += PIECE_BYTES) {
      this.adding.value = { name: file.name, share: offset / Math.max(1, file.size) };
      const piece = file.slice(offset, offset + PIECE_BYTES);
      const last = offset + PIECE_BYTES >= file.size;
      const query = `offset=${offset}&end=${last ? 1 : 0}`;
      await ask(withKey(`${addressOf(file.name)}?${query}`, key), { method: 'PUT', body: piece });
    }
  }

  async #trying(work: () => Promise<unknown>): Promise<void> {
    this.failure.value = undefined;
    try {
      await work();
    } catch (error) {
      this.failure.value = error instanceof Error ? error.message : String(error);
    }
  }
}

/** Where a file is read, played, added and deleted. */
export function addressOf(name: string): string {
  return `/files/media/${encodeURIComponent(name)}`;
}

function withKey(address: string, key: string): string {
  if (key === '') return address;
  return `${address}${address.includes('?') ? '&' : '?'}key=${encodeURIComponent(key)}`;
}

async function ask(address: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(address, { ...init, credentials: 'same-origin', cache: 'no-store' });
  const text = await response.text();
  const value: unknown = /json/.test(response.headers.get('content-type') ?? '')
    ? JSON.parse(text)
    : undefined;
  if (!response.ok) throw new ApiFault(response.status, value);
  return value;
}
