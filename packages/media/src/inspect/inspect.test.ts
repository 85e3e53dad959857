import { describe, expect, it } from 'vitest';
import { checkCuts, checkMutations, checkReport } from '../../../../test/kit/damage.ts';
import { fileOf, film, written } from '../../../../test/kit/film.ts';
import { type ByteSource, bytesSource, type OutputFormat } from '../file/index.ts';
import { inspect, isDamaged, type Node, nodeLine, type Report, reportText } from './index.ts';

const CONTAINERS: readonly OutputFormat[] = ['mp4', 'fmp4', 'mkv', 'flv', 'ts'];
/** Damaged copies of each container; an integration test has more. */
const MUTATIONS = 150;
const CUTS = 50;

const { tracks, samples } = film(1.2, 24);
const fileIn = (format: OutputFormat): Promise<Uint8Array> => written(fileOf(tracks, samples), format);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function look(bytes: Uint8Array): Promise<{ report: Report; nodes: Node[] }> {
  const nodes: Node[] = [];
  const report = await inspect(bytesSource(bytes), { onNode: (node) => nodes.push(node) });
  return { report, nodes };
}

describe.each(CONTAINERS)('a damaged %s', (format) => {
  it('that is cut off is told at its end, with everything before it', async () => {
    await checkCuts(await fileIn(format), CUTS);
  });

  it('ends in a report whatever its bytes are', async () => {
    await checkMutations(await fileIn(format), MUTATIONS);
  });
});

describe('what is no media file', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'empty'],
    ['text', text('hello, world. '.repeat(100)), 'none of'],
    ['zeros', new Uint8Array(5000), 'none of'],
  ])('%s is said to be so', async (_name, bytes, words) => {
    const { report } = await look(bytes);
    expect(isDamaged(report)).toBe(true);
    expect(report.findings[0]!.message).toContain(words);
    expect(reportText('x', report)).toContain('unknown format');
  });
});

describe('boxes that lie', () => {
  const u32 = (...values: number[]): number[] =>
    values.flatMap((value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
  const box = (type: string, body: number[], size = body.length + 8): number[] => [
    ...u32(size),
    ...Array.from(type, (char) => char.charCodeAt(0)),
    ...body,
  ];
  const ftyp = box('ftyp', [...text('isom'), 0, 0, 2, 0]);

  it.each([
    ['a size smaller than the header', [...ftyp, ...box('moov', [], 4)], ftyp.length],
    ['a size of 2^63', [...ftyp, ...u32(1), ...text('moov'), ...u32(0x8000_0000, 0)], ftyp.length],
    ['a size beyond the end', [...ftyp, ...box('moov', [], 5000)], ftyp.length],
    ['a child beyond its parent', [...ftyp, ...box('moov', box('trak', [], 99))], ftyp.length + 8],
  ])('%s', async (_name, bytes, offset) => {
    const { report } = await look(Uint8Array.from(bytes));
    expect(report.findings.find(({ severity }) => severity === 'error')).toMatchObject({ offset });
  });

  it('nested in themselves end at a depth', async () => {
    let inner = box('free', []);
    for (let i = 0; i < 1000; i++) inner = box('moov', inner);
    const { report, nodes } = await look(Uint8Array.from([...ftyp, ...inner]));
    expect(Math.max(...nodes.map(({ depth }) => depth))).toBeLessThan(20);
    checkReport(report, 10_000);
  });
});

describe('playlists', () => {
  it('of HLS are checked in plain words', async () => {
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      '#EXT-X-TARGETDURATION:2',
      '#EXTINF:5,',
      'a.ts',
      '#EXT-X-ENDLIST',
      '',
    ];
    const { report, nodes } = await look(text(lines.join('\n')));
    expect(report.format).toBe('hls');
    expect(report.findings.map(({ message }) => message).join()).toContain('target duration 2 s');
    expect(isDamaged(report)).toBe(true);
    expect(nodes.map(({ name }) => name)).toContain('EXTINF');
  });

  it('of DASH are listed as a tree', async () => {
    const { report, nodes } = await look(text('<?xml version="1.0"?>\n<MPD type="static"><Period/></MPD>'));
    expect(report.format).toBe('dash');
    expect(nodes.map(({ name, depth }) => `${depth} ${name}`)).toEqual(['0 MPD', '1 Period']);
    expect(isDamaged(report)).toBe(true);
  });
});

describe('the report', () => {
  it('says what an MP4 is in words, with the codec strings', async () => {
    const { report, nodes } = await look(await fileIn('mp4'));
    const lines = reportText('film.mp4', report);
    expect(lines).toMatch(/^film\.mp4: MP4, not fragmented, \d+ bytes, 1\.\d+ s$/m);
    expect(lines).toMatch(/^ {2}Codecs String: avc1\.64000c$/m);
    expect(lines).toMatch(/^ {2}Codecs String: mp4a\.40\.2$/m);
    expect(lines).toContain('B-frames: yes');
    expect(lines).toContain('Not fragmented: one table (moov)');
    expect(nodes.map(nodeLine).join('\n')).toMatch(/^\[moov\] size=8\+\d+ at=\d+$/m);
    expect(reportText('x', (await look(await fileIn('fmp4'))).report)).toContain(
      'Fragmented: after moov come 6',
    );
  });

  it('reads the boxes of a large file without its media', async () => {
    const bytes = await fileIn('mp4');
    const size = 4 * 2 ** 30;
    // The media of four gigabytes: the box with the media is followed by what came behind it.
    const media = (await look(bytes)).nodes.find(({ name }) => name === 'mdat')!;
    const head = bytes.slice(0, media.offset + 16);
    new DataView(head.buffer).setBigUint64(media.offset + 8, BigInt(size));
    const behind = media.offset + size;
    const rest = bytes.subarray(media.offset + media.size!);
    let read = 0;
    const source: ByteSource = {
      size: behind + rest.length,
      read: (at, length) => {
        const out = new Uint8Array(Math.min(length, behind + rest.length - at));
        read += out.length;
        for (let i = 0; i < out.length; i++) {
          const place = at + i;
          out[i] = place < head.length ? head[place]! : place < behind ? 0 : rest[place - behind]!;
        }
        return Promise.resolve(out);
      },
    };
    const report = await inspect(source);
    expect(report.tracks.map(({ samples: count }) => count)).toEqual([30, 58]);
    expect(read).toBeLessThan(2_000_000);
  });
});
