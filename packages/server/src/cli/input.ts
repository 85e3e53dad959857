import { type FileHandle, open } from 'node:fs/promises';
import { type ByteSource, SourceError } from '@onair/media/file';
import { fileSource } from './file-source.ts';

/** A source that somebody has to close. */
export interface Input extends ByteSource {
  close(): Promise<void>;
}

/**
 * Opens a file, an address of HTTP, or standard input (`-`). A server that gives ranges is asked for ranges; one that
 * does not, and standard input, are read forwards once.
 * @throws Error if it cannot be opened.
 */
export async function openInput(input: string, signal: AbortSignal): Promise<Input> {
  if (input === '-') return forwards(process.stdin[Symbol.asyncIterator](), undefined, signal);
  if (/^https?:/i.test(input)) return openAddress(input, signal);
  const file: FileHandle = await open(input);
  return { ...(await fileSource(file)), close: () => file.close() };
}

async function openAddress(url: string, signal: AbortSignal): Promise<Input> {
  const ask = (headers: Record<string, string>): Promise<Response> => fetch(url, { headers, signal });
  const first = await ask({ range: 'bytes=0-0' });
  if (!first.ok) {
    await first.body?.cancel();
    throw new Error(`${url} answers ${first.status}`);
  }
  const total = /\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1];
  if (first.status === 206 && total !== undefined) {
    await first.body?.cancel();
    const size = Number(total);
    return {
      size,
      read: async (at, length) => {
        if (at >= size || length <= 0) return new Uint8Array(0);
        const answer = await ask({ range: `bytes=${at}-${Math.min(size, at + length) - 1}` });
        if (answer.status === 206) return new Uint8Array(await answer.arrayBuffer());
        await answer.body?.cancel();
        throw new SourceError(`${url} answers ${answer.status} to a range`);
      },
      close: () => Promise.resolve(),
    };
  }
  const length = first.headers.get('content-length');
  const size = length === null ? undefined : Number(length);
  const pieces = first.body?.[Symbol.asyncIterator]() ?? (async function* () {})();
  return forwards(pieces, size, signal);
}

/** A source that is read once from its beginning; what lies between two reads is passed over. */
function forwards(pieces: AsyncIterator<Uint8Array>, size: number | undefined, signal: AbortSignal): Input {
  let piece: Uint8Array = new Uint8Array(0);
  let place = 0; // of the piece's first byte in the whole
  let ended = false;
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const more = async (): Promise<void> => {
    place += piece.length;
    const next = await Promise.race([pieces.next(), stopped]);
    ended = next === undefined || next.done === true;
    piece = ended || next === undefined ? new Uint8Array(0) : next.value;
  };
  return {
    size,
    read: async (at, length) => {
      if (at < place) throw new SourceError('this source only goes forwards, and what is wanted has passed');
      while (!ended && place + piece.length <= at) await more();
      const out = new Uint8Array(length);
      let filled = 0;
      while (!ended && filled < length) {
        const part = piece.subarray(at + filled - place, at + length - place);
        out.set(part, filled);
        filled += part.length;
        if (filled < length) await more();
      }
      return out.subarray(0, filled);
    },
    close: async () => {
      await pieces.return?.();
    },
  };
}
