import { readFileSync } from 'node:fs';
import { FlvReader, type Tag } from '@onair/media/flv';
import { parseRtmpUrl } from '@onair/media/rtmp';
import { RtmpClient } from '../../packages/server/src/net/rtmp-client.ts';
import { makeFile, type PublisherOptions } from './publisher.ts';
import type { Owned, Scope } from './scope.ts';

/** Makes an FLV of `seconds` and returns its tags. */
export async function makeTags(
  scope: Scope,
  options: Omit<PublisherOptions, 'url'> & { readonly seconds: number },
): Promise<Tag[]> {
  const url = `${scope.tempDir()}/media.flv`;
  await makeFile({ ...options, url });
  return readTags(url);
}

/** The tags of an FLV file. */
export function readTags(path: string): Tag[] {
  const reader = new FlvReader();
  reader.push(new Uint8Array(readFileSync(path)));
  const tags: Tag[] = [];
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    if (item.kind === 'tag') tags.push(item.tag);
  }
  return tags;
}

/** How a {@link Replay} sends. */
export interface ReplayOptions {
  /** Milliseconds added to each timestamp; sent modulo 2^32. */
  readonly offsetMs?: number;
  /** Milliseconds added to the timestamp of one tag besides. */
  readonly shift?: (tag: Tag) => number;
  /** Times real time; default 1. */
  readonly speed?: number;
}

/** Sends tags over RTMP at their own pace, their timestamps shifted. */
export class Replay implements Owned {
  /** Settles when all is sent or the connection is over. */
  readonly done: Promise<void>;
  readonly #connection: RtmpClient;
  #stopped = false;

  constructor(url: string, tags: readonly Tag[], options: ReplayOptions = {}) {
    this.#connection = new RtmpClient({ url: parseRtmpUrl(url), intent: 'publish' });
    void this.#connection.closed.then(() => {
      this.#stopped = true;
    });
    this.done = this.#run(tags, options);
  }

  /** Unpublishes and closes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#connection.close();
    await this.done;
  }

  async #run(
    tags: readonly Tag[],
    { offsetMs = 0, shift = () => 0, speed = 1 }: ReplayOptions,
  ): Promise<void> {
    await this.#connection.ready;
    const begin = performance.now();
    for (const tag of tags) {
      const { type, timestampMs, body } = tag;
      const wait = begin + timestampMs / speed - performance.now();
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.#stopped) return;
      if (type !== 'script') this.#connection.sendMedia(type, timestampMs + offsetMs + shift(tag), body);
    }
  }
}
