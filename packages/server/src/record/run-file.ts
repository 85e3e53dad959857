import { open } from 'node:fs/promises';
import { MICROSECONDS, ParseError, rescale, type Ticks, type Track } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import { BoxStream, type ChunkTrack, parseChunks, parseInit, progressiveHeader } from '@onair/media/isobmff';
import type { ChunkNote } from './segment-index.ts';

/** Octets read at once. */
const READ_BYTES = 1024 * 1024;

/** What a run's file tells of itself besides its media. */
export interface RunFacts {
  /** Server clock at its first chunk, ms since the Unix epoch. */
  readonly wallMs: number;
  /** Stream time minus the publisher's own, in µs; undefined where nobody will ask. */
  readonly sourceOffset: number | undefined;
}

/** The beginning of a run's file. */
export interface RunHeader extends RunFacts {
  /** `ftyp` and `moov`: what a player needs first. */
  readonly init: Uint8Array;
  /** Octets in front of the first chunk. */
  readonly size: number;
  readonly tracks: readonly Track[];
}

/** Where a chunk lies in its file. */
export interface ChunkPlace extends ChunkNote {
  /** Octets. */
  readonly offset: number;
  readonly track: number;
  /** Its samples, whose `data` are views into `bytes`. */
  readonly parsed: ChunkTrack;
  readonly bytes: Uint8Array;
}

/**
 * The first octets of a run: `ftyp` and `moov` of all tracks, which are `init` octets, and a `free` box with the
 * facts.
 */
export function runHeader(
  tracks: readonly Track[],
  facts: RunFacts,
): { readonly bytes: Uint8Array; readonly init: number } {
  const text = new TextEncoder().encode(JSON.stringify(facts));
  const free = new Uint8Array(8 + text.length);
  new DataView(free.buffer).setUint32(0, free.length);
  free.set([0x66, 0x72, 0x65, 0x65], 4);
  free.set(text, 8);
  const init = progressiveHeader(tracks);
  return { bytes: concatBytes([init, free]), init: init.length };
}

/** What {@link scanRun} calls. */
export interface RunVisitor {
  header(header: RunHeader): void;
  chunk(chunk: ChunkPlace): void;
  /** An `emsg` box in front of a chunk, header included. */
  message?(bytes: Uint8Array): void;
  /** Some chunks have come; reading goes on when it resolves. */
  batch?(): Promise<void>;
}

/**
 * Reads a run's file in constant memory. Resolves with the octets up to the end of the last whole chunk; what is
 * behind them was torn off by a crash. 0 if not even the header is whole.
 */
export async function scanRun(path: string, visitor: RunVisitor): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const scan = new RunScan(visitor);
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0 || !scan.push(buffer.subarray(0, bytesRead))) return scan.valid;
      await visitor.batch?.();
    }
  } finally {
    await handle.close();
  }
}

class RunScan {
  valid = 0;
  readonly #visitor: RunVisitor;
  readonly #boxes = new BoxStream();
  #at = 0;
  #init: Uint8Array[] = [];
  #header: RunHeader | undefined;
  #moof: Uint8Array | undefined;

  constructor(visitor: RunVisitor) {
    this.#visitor = visitor;
  }

  /** False if there is no sense in reading on. */
  push(bytes: Uint8Array): boolean {
    try {
      for (const box of this.#boxes.push(bytes)) {
        this.#at += box.bytes.length;
        this.#box(box.type, box.bytes);
      }
      return true;
    } catch (error) {
      if (error instanceof ParseError || error instanceof SyntaxError) return false;
      throw error;
    }
  }

  #box(type: string, bytes: Uint8Array): void {
    if (type === 'ftyp' || type === 'moov') this.#init.push(bytes.slice());
    else if (type === 'free' && this.#header === undefined) {
      this.#header = readHeader(concatBytes(this.#init), bytes.subarray(8), this.#at);
      this.valid = this.#at;
      this.#visitor.header(this.#header);
    } else if (type === 'emsg') this.#visitor.message?.(bytes);
    else if (type === 'moof') this.#moof = bytes;
    else if (type === 'mdat' && this.#moof !== undefined && this.#header !== undefined) {
      this.#chunk(this.#header, concatBytes([this.#moof, bytes]));
      this.#moof = undefined;
      this.valid = this.#at;
    }
  }

  #chunk({ tracks }: RunHeader, bytes: Uint8Array): void {
    const [parsed] = parseChunks(bytes)[0]?.tracks ?? [];
    const track = tracks.find(({ id }) => id === parsed?.trackId);
    const first = parsed?.samples[0];
    if (parsed === undefined || first === undefined || track === undefined) return;
    const us = (time: number): number => rescale(time as Ticks, track.timebase, MICROSECONDS);
    const video = track.parameters.kind === 'video';
    const last = parsed.samples.at(-1)!;
    this.#visitor.chunk({
      track: track.id,
      video,
      independent: video ? first.keyframe : tracks[0]!.parameters.kind !== 'video',
      time: us(first.dts),
      duration: us(last.dts + last.duration) - us(first.dts),
      size: bytes.length,
      offset: this.#at - bytes.length,
      parsed,
      bytes,
    });
  }
}

/** @throws ParseError or SyntaxError for what is not the beginning of a run. */
function readHeader(init: Uint8Array, text: Uint8Array, size: number): RunHeader {
  const facts = JSON.parse(new TextDecoder().decode(text)) as Record<string, unknown>;
  return {
    init,
    size,
    tracks: tracksOfInit(init),
    wallMs: typeof facts.wallMs === 'number' ? facts.wallMs : 0,
    sourceOffset: typeof facts.sourceOffset === 'number' ? facts.sourceOffset : undefined,
  };
}

/** The tracks of a run, as its `ftyp` and `moov` tell them. @throws ParseError for anything else. */
export function tracksOfInit(init: Uint8Array): Track[] {
  return parseInit(init).tracks.map((entry): Track => {
    const { trackId, kind, codec, description, timebase, width, height, sampleRate, channels, language } =
      entry;
    const common = { id: trackId, timebase, ...(language === undefined ? {} : { language }) };
    // Codec strings are for playlists that name them; a file needs the record alone.
    const parameters = (
      kind === 'video'
        ? { kind, codec, description, codecString: '', width, height }
        : { kind: 'audio', codec, description, codecString: '', sampleRate, channels }
    ) as Track['parameters'];
    return { ...common, parameters };
  });
}
