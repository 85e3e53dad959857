import { open } from 'node:fs/promises';
import { HttpProblem } from '../net/index.ts';

/** Octets of a file: from, and up to. */
export interface Span {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** Reads them; the bytes are the caller's. @throws HttpProblem `GONE` if the file is shorter. */
export async function readSpan({ path, from, to }: Span): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, from + at);
      if (bytesRead === 0) throw new HttpProblem('GONE');
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
