import {
  type FileAside,
  type FilePart,
  MAX_FILE_BYTES,
  type MemberId,
  readFilePart,
} from '@onair/contracts/rooms';
import { FileParts } from './file-parts.ts';
import { FileSender, type PartWay } from './file-sender.ts';
import type { FileDelivery } from './part-ways.ts';

/** A file as the page shows it. */
export interface FileView {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly way: 'in' | 'out';
  readonly state: 'offered' | 'going' | 'done' | 'refused' | 'failed';
  /** Bytes so far; of several receivers on average. */
  readonly bytes: number;
  /** Who took it, of those it was offered to. */
  readonly receivers: number;
  /** What came, once all of it is there. */
  readonly content?: Blob;
}

/** What files go over. */
export interface RoomFilesOptions {
  /** Says a step to a member, over whatever way there is. */
  post(to: MemberId, step: FileAside): void;
  /** Opens a way for the parts; undefined if the file is too large for the only one there is. */
  open(
    to: MemberId,
    file: { readonly id: string; readonly size: number },
    delivery: FileDelivery,
  ): PartWay | undefined;
  changed(files: readonly FileView[]): void;
}

interface Outgoing {
  readonly file: File;
  readonly delivery: FileDelivery;
  readonly receivers: Map<
    MemberId,
    { sender: FileSender; bytes: number; state: 'going' | 'done' | 'failed' }
  >;
  refused: boolean;
}

interface Incoming {
  readonly from: MemberId;
  readonly name: string;
  readonly size: number;
  state: FileView['state'];
  parts: FileParts | undefined;
  content: Blob | undefined;
  /** Runs while what is still missing may be on its way. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Files that are listed at one time. */
const MAX_FILES = 50;
/** How long parts may come after the word that all were sent, ms. */
const GRACE_MS = 500;

/** Files on their way between the talker and watchers. */
export class RoomFiles {
  readonly #options: RoomFilesOptions;
  readonly #out = new Map<string, Outgoing>();
  readonly #in = new Map<string, Incoming>();

  constructor(options: RoomFilesOptions) {
    this.#options = options;
  }

  /** Begins to offer a file; returns what is to be said, or undefined if it is too large, empty, or one too many. */
  offer(file: File, id: string, delivery: FileDelivery): FileAside | undefined {
    if (file.size === 0 || file.size > MAX_FILE_BYTES || this.#full) return undefined;
    this.#out.set(id, { file, delivery, receivers: new Map(), refused: false });
    this.#changed();
    const name = file.name.replaceAll(/[/\\\p{Cc}\p{Cf}]/gu, '_').slice(-255);
    return { type: 'file_offer', id, name, size: file.size };
  }

  /** Takes a file that was offered. */
  accept(id: string): void {
    const file = this.#in.get(id);
    if (file?.state !== 'offered') return;
    file.state = 'going';
    file.parts = new FileParts(file.size);
    this.#options.post(file.from, { type: 'file_accept', id });
    this.#changed();
  }

  /** Refuses a file that was offered. */
  refuse(id: string): void {
    const file = this.#in.get(id);
    if (file?.state !== 'offered') return;
    file.state = 'refused';
    this.#options.post(file.from, { type: 'file_refuse', id });
    this.#changed();
  }

  /** Takes a step that another side says. */
  hear(from: MemberId, step: FileAside): void {
    const { id } = step;
    switch (step.type) {
      case 'file_offer':
        if (this.#full || this.#in.has(id) || this.#out.has(id)) return;
        this.#in.set(id, {
          from,
          name: step.name,
          size: step.size,
          state: 'offered',
          parts: undefined,
          content: undefined,
          timer: undefined,
        });
        break;
      case 'file_accept':
        this.#begin(from, id);
        break;
      case 'file_missing':
        this.#out.get(id)?.receivers.get(from)?.sender.again(step.parts);
        return;
      case 'file_got':
        this.#end(from, id, 'done');
        break;
      case 'file_refuse': {
        const file = this.#out.get(id);
        if (file !== undefined) file.refused = true;
        break;
      }
      case 'file_sent':
        this.#sent(from, id);
        return;
      case 'file_cancel':
        this.#end(from, id, 'failed');
        if (this.#in.get(id)?.from === from) this.#fail(id);
        break;
      default:
    }
    this.#changed();
  }

  /** Takes a part that came over the server. */
  part(from: MemberId, { id, index, data }: FilePart): void {
    const file = this.#in.get(id);
    if (file?.from !== from || file.state !== 'going' || file.parts?.add(index, data) !== true) return;
    if (file.parts.complete) {
      clearTimeout(file.timer);
      file.state = 'done';
      file.content = new Blob(file.parts.take());
      file.parts = undefined;
      this.#options.post(from, { type: 'file_got', id });
    }
    this.#changed();
  }

  /** Takes the parts that come over a channel. */
  channel(from: MemberId, id: string, channel: RTCDataChannel): void {
    if (this.#in.get(id)?.from !== from) {
      channel.close();
      return;
    }
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (!(data instanceof ArrayBuffer)) return;
      try {
        this.part(from, { type: 'file_part', id, ...readFilePart(new Uint8Array(data)) });
      } catch {
        // not a part
      }
    });
  }

  /** A member's connection is gone: what was on its way is lost. */
  gone(member: MemberId): void {
    for (const id of this.#out.keys()) this.#end(member, id, 'failed');
    for (const [id, { from }] of this.#in) if (from === member) this.#fail(id);
    this.#changed();
  }

  /** Ends everything. */
  close(): void {
    for (const { receivers } of this.#out.values())
      for (const { sender } of receivers.values()) sender.close();
    for (const { timer } of this.#in.values()) clearTimeout(timer);
  }

  get #full(): boolean {
    return this.#in.size + this.#out.size >= MAX_FILES;
  }

  #begin(to: MemberId, id: string): void {
    const out = this.#out.get(id);
    if (out === undefined || out.receivers.has(to)) return;
    const way = this.#options.open(to, { id, size: out.file.size }, out.delivery);
    if (way === undefined) {
      this.#options.post(to, { type: 'file_cancel', id });
      return;
    }
    const sender = new FileSender(out.file, way, {
      sent: () => this.#options.post(to, { type: 'file_sent', id }),
      progress: (bytes) => {
        const receiver = out.receivers.get(to);
        if (receiver === undefined) return;
        receiver.bytes = Math.max(receiver.bytes, bytes);
        this.#changed();
      },
      failed: () => {
        this.#options.post(to, { type: 'file_cancel', id });
        this.#end(to, id, 'failed');
        this.#changed();
      },
    });
    out.receivers.set(to, { sender, bytes: 0, state: 'going' });
  }

  #end(member: MemberId, id: string, state: 'done' | 'failed'): void {
    const receiver = this.#out.get(id)?.receivers.get(member);
    if (receiver?.state !== 'going') return;
    receiver.state = state;
    receiver.sender.close();
  }

  #fail(id: string): void {
    const file = this.#in.get(id);
    if (file?.state !== 'going' && file?.state !== 'offered') return;
    clearTimeout(file.timer);
    file.state = 'failed';
    file.parts = undefined;
  }

  #sent(from: MemberId, id: string): void {
    const file = this.#in.get(id);
    if (file?.from !== from || file.state !== 'going') return;
    clearTimeout(file.timer);
    const before = file.parts?.bytes;
    file.timer = setTimeout(() => {
      if (file.state !== 'going' || file.parts === undefined) return;
      if (file.parts.bytes !== before) this.#sent(from, id);
      else this.#options.post(from, { type: 'file_missing', id, parts: file.parts.missing() });
    }, GRACE_MS);
  }

  #changed(): void {
    const views: FileView[] = [];
    for (const [id, { file, receivers, refused }] of this.#out) {
      const all = [...receivers.values()];
      const done = all.filter(({ state }) => state === 'done').length;
      const going = all.some(({ state }) => state === 'going');
      const state = going
        ? 'going'
        : done > 0
          ? 'done'
          : all.length > 0
            ? 'failed'
            : refused
              ? 'refused'
              : 'offered';
      const bytes = all.length === 0 ? 0 : all.reduce((sum, one) => sum + one.bytes, 0) / all.length;
      views.push({ id, name: file.name, size: file.size, way: 'out', state, bytes, receivers: done });
    }
    for (const [id, { name, size, state, parts, content }] of this.#in) {
      const bytes = state === 'done' ? size : (parts?.bytes ?? 0);
      const shown = { id, name, size, way: 'in', state, bytes, receivers: 0 } as const;
      views.push(content === undefined ? shown : { ...shown, content });
    }
    this.#options.changed(views);
  }
}
