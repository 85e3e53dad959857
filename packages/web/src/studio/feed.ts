import { signal } from '@preact/signals';
import { Take } from './take.ts';

/** One picture with its sound that the studio shows and records. */
export class Feed {
  /** Who sends it: the id of a reporter; undefined for this page's own. */
  readonly from: string | undefined;
  readonly media = signal<MediaStream | undefined>(undefined);
  readonly take = signal<Take | undefined>(undefined);
  /** Counts the feeds of the page from 1; tells their recordings apart. */
  readonly number: number;

  constructor(number: number, media: MediaStream, from?: string) {
    this.number = number;
    this.from = from;
    this.media.value = media;
  }

  /** True while it is recorded. */
  get recording(): boolean {
    return this.take.value?.recording.value === true;
  }

  /** True while something of a recording is not stored yet. */
  get sending(): boolean {
    const state = this.take.value?.status.value.state;
    return state !== undefined && state !== 'done' && state !== 'failed';
  }

  /** Begins to record. @throws Error where the browser cannot record it. */
  record(name: string, key: string): void {
    const media = this.media.peek();
    if (media === undefined || this.recording) return;
    const stream = this.number === 1 ? `live/${name}` : `live/${name}-${this.number}`;
    this.take.value = new Take(media, stream, key);
  }

  /** Another picture in place of the present one, also of a recording that goes on. */
  show(media: MediaStream): void {
    const old = this.media.peek();
    if (this.recording) this.take.peek()?.replace(media);
    this.media.value = media;
    for (const track of old?.getTracks() ?? []) track.stop();
  }

  /** Releases the devices; a recording ends. */
  close(): void {
    this.take.peek()?.stop();
    for (const track of this.media.peek()?.getTracks() ?? []) track.stop();
  }
}
