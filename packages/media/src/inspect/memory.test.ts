import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { inspect } from './index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Most that an inspection may hold, in bytes. */
const LIMIT = 64 * 1024 * 1024;
/** Reads between two looks at the memory; each look collects first. */
const LOOK_EVERY = 16;

/** A byte of an endless file: `head` once, then `again` for ever. */
function pattern(head: string, again: string): (at: number) => number {
  const [once, then] = [Buffer.from(head, 'latin1'), Buffer.from(again, 'latin1')];
  return (at) => (at < once.length ? once[at]! : then[(at - once.length) % then.length]!);
}

const EBML = '\x1aE\xdf\xa3\x80\x18S\x80g\xff';
const FLV = 'FLV\x01\x05\0\0\0\x09\0\0\0\0';

it.each([
  ['a unit of MPEG-TS that never ends', 12, pattern('', `G\x01\0\x10${'\xff'.repeat(184)}`)],
  ['FLV tags without content', 3, pattern(FLV, `\x09${'\0'.repeat(14)}`)],
  ['an FLV tag larger than any', 12, pattern(`${FLV}\x09\xff\xff\xff${'\0'.repeat(7)}`, 'x')],
  ['MP4 boxes without content', 12, pattern('', '\0\0\0\x08free')],
  ['an MP4 table larger than the file', 24, pattern('\0\0\0\x08ftyp\x7f\xff\xff\xffmoov', '\0\0\0\x08trak')],
  ['WebM elements without content', 0.25, pattern(EBML, '\xec\x80')],
  ['a WebM block larger than the file', 24, pattern(`${EBML}\x1fC\xb6u\xff\xa3\x10\x7f\xff\xff\xff`, 'x')],
  ['a playlist without end', 2, pattern('#EXTM3U\n', '#EXTINF:1,\na\n')],
  ['a manifest without end', 4, pattern('<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', '<Period>')],
])('%s needs little memory', async (_what, megabytes, byteAt) => {
  const size = megabytes * 1024 * 1024;
  const held = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  let peak = 0;
  let reads = 0;
  const report = await inspect({
    size,
    read: (at, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)));
      for (let i = 0; i < bytes.length; i++) bytes[i] = byteAt(at + i);
      if (++reads % LOOK_EVERY === 0) peak = Math.max(peak, held());
      return Promise.resolve(bytes);
    },
  });
  peak = Math.max(peak, held());
  expect(report.findings.length).toBeGreaterThan(0);
  expect(peak - before).toBeLessThan(LIMIT);
});
