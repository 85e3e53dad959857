import { FlvReader, TagDemuxer } from '../flv/index.ts';
import { ParseError, type Sample, type Track } from '../model/index.ts';
import { TsSampleReader } from '../mpegts/index.ts';
import { WebmDemuxer } from '../webm/index.ts';
import { BLOCK_BYTES, type BlockReader } from './byte-source.ts';
import type { FileBatches, FileItem } from './media-file.ts';
import type { StreamedFormat } from './resync.ts';

/** Takes a file apart that is read from its beginning to its end. */
interface Demuxer {
  push(bytes: Uint8Array): void;
  end(): void;
}

/** Reads WebM, FLV or MPEG-TS. Frames that are malformed are left out. */
export async function* readStreamed(reader: BlockReader, format: StreamedFormat): FileBatches {
  const demuxer = new StreamedDemuxer(format);
  for (let at = 0; ; ) {
    const bytes = await reader.read(at, BLOCK_BYTES);
    if (bytes.length === 0) break;
    at += bytes.length;
    demuxer.push(bytes);
    const found = demuxer.take();
    if (found.length > 0) yield found;
  }
  demuxer.end();
  const found = demuxer.take();
  if (found.length > 0) yield found;
}

/** Bytes of a WebM, FLV or MPEG-TS file in, its first picture and its first sound out, as tracks 1 and 2. */
export class StreamedDemuxer {
  readonly #demuxer: Demuxer;
  readonly #tracks = new Map<number, Track>();
  #found: FileItem[] = [];

  constructor(format: StreamedFormat) {
    this.#demuxer = demuxerOf(format, {
      track: (track) => {
        const renamed = renumber(track, this.#tracks);
        if (renamed === undefined) return;
        this.#tracks.set(track.id, renamed);
        this.#found.push({ kind: 'track', track: renamed });
      },
      sample: (sample) => {
        const track = this.#tracks.get(sample.track.id);
        if (track !== undefined) this.#found.push({ kind: 'sample', sample: { ...sample, track } });
      },
    });
  }

  /** Takes the next bytes, which are the demuxer's from now on. @throws ParseError if they are of another kind. */
  push(bytes: Uint8Array): void {
    this.#demuxer.push(bytes);
  }

  /** Nothing follows. */
  end(): void {
    this.#demuxer.end();
  }

  /** What was found since the last time. */
  take(): FileItem[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }
}

/** The first track of each kind is 1 or 2, as everywhere; others are left out. */
function renumber(track: Track, known: ReadonlyMap<number, Track>): Track | undefined {
  const id = track.parameters.kind === 'video' ? 1 : 2;
  for (const [source, other] of known) if (other.id === id && source !== track.id) return undefined;
  return { ...track, id };
}

interface Sink {
  track(track: Track): void;
  sample(sample: Sample): void;
}

function demuxerOf(format: StreamedFormat, sink: Sink): Demuxer {
  const { track, sample } = sink;
  switch (format) {
    case 'webm':
      return new WebmDemuxer({ onTrack: track, onSample: sample });
    case 'mpegts':
      return new TsSampleReader({ track, sample });
    case 'flv': {
      const tags = new TagDemuxer({
        onTrack: track,
        onSample: sample,
        onMetadata: () => undefined,
        onDataEvent: () => undefined,
      });
      const reader = new FlvReader();
      return {
        push: (bytes) => {
          reader.push(bytes);
          for (let item = reader.next(); item !== undefined; item = reader.next()) {
            if (item.kind === 'tag') leaveOut(() => tags.push(item.tag));
          }
        },
        end: () => undefined,
      };
    }
  }
}

function leaveOut(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
}
