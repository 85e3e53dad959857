import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ownCopy, shareReads, unshareReads } from './shared-reads.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const PATIENT = { timeout: 4000, interval: 5 };

/** An accepted socket whose reads are shared, what it heard, and the one at the other end. */
async function pair() {
  const server = createServer({ allowHalfOpen: true });
  ending.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const [near] = await accepted;
  ending.push(() => far.destroy());
  ending.push(() => near.destroy());
  const heard: string[] = [];
  const shared = shareReads(near, (bytes, length) => {
    heard.push(bytes.toString('latin1', 0, length));
  });
  near.resume();
  return { near, far, heard, shared };
}

describe('shared reads', () => {
  it('are there in this Node, one buffer for several sockets', async () => {
    const pairs = await Promise.all([pair(), pair(), pair()]);
    expect(pairs.map(({ shared }) => shared)).toEqual([true, true, true]);
    for (const [n, { far }] of pairs.entries()) far.write(String(n).repeat(100_000));
    await vi.waitFor(() => {
      for (const [n, { heard }] of pairs.entries()) expect(heard.join('')).toBe(String(n).repeat(100_000));
    }, PATIENT);
  });

  it('pause and go on', async () => {
    const { near, far, heard } = await pair();
    far.write('a');
    await vi.waitFor(() => expect(heard).toEqual(['a']), PATIENT);
    near.pause();
    far.write('b');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard).toEqual(['a']);
    near.resume();
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b']), PATIENT);
  });

  it('tell of the end, also behind bytes, and of a reset', async () => {
    const [ends, resets] = [await pair(), await pair()];
    ends.far.end('last');
    await once(ends.near, 'end');
    expect(ends.heard).toEqual(['last']);
    const failed = once(resets.near, 'close').catch((error: Error) => error);
    resets.far.resetAndDestroy();
    expect(await failed).toMatchObject({ code: 'ECONNRESET' });
  });

  it('go back to the stream, which may stop the reading', async () => {
    const { near, far, heard } = await pair();
    far.write('a');
    await vi.waitFor(() => expect(heard).toEqual(['a']), PATIENT);
    unshareReads(near);
    near.pause();
    const text = 'x'.repeat(3_000_000);
    far.end(text);
    await new Promise((resolve) => setTimeout(resolve, 30));
    // What nobody takes waits in the system, not here.
    expect(near.readableLength).toBeLessThan(200_000);
    let length = 0;
    near.on('data', (bytes: Buffer) => {
      length += bytes.length;
    });
    near.resume();
    await once(near, 'end');
    expect(length).toBe(text.length);
    expect(heard).toEqual(['a']);
  });

  it('leave alone what was not shared', async () => {
    const { near } = await pair();
    near.destroy();
    expect(shareReads(near, () => {})).toBe(false);
    unshareReads(near);
  });

  it('are copied by whoever keeps them', () => {
    const bytes = Buffer.from('abc');
    const copy = ownCopy(bytes, 2);
    bytes.fill(0);
    expect(copy.toString()).toBe('ab');
    expect(copy.buffer.byteLength).toBe(2);
  });
});
