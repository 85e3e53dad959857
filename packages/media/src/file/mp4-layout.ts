import { ByteReader } from '../bytes/index.ts';
import {
  boxBudget,
  findBox,
  type InitTrack,
  parseInit,
  readBoxes,
  readBoxHeader,
  requireBox,
} from '../isobmff/index.ts';
import type { BlockReader } from './byte-source.ts';

/** Largest `moov` or `moof` that is taken into memory, in bytes: some 100 hours of film. */
export const MAX_TABLE_BYTES = 24 * 1024 * 1024;

/** One top-level box of a file. */
export interface Mp4Place {
  readonly type: string;
  readonly at: number;
  /** Bytes, header included; for a box without end of its own, up to that of the file. */
  readonly size: number;
  readonly headerSize: number;
}

/** One track of a `moov` and where its samples are described. */
export interface Mp4Track {
  readonly init: InitTrack;
  /** Ticks to add to the file's times: from its edit list. */
  readonly shift: number;
  /** Content of `stbl`. */
  readonly stbl: Uint8Array;
}

/** The box at `at`; undefined at the end, or where fewer bytes are left than a header has. @throws ParseError */
export async function placeAt(reader: BlockReader, at: number): Promise<Mp4Place | undefined> {
  const header = readBoxHeader(await reader.read(at, 16), 0);
  if (header === undefined) return undefined;
  const size = header.size === 0 ? (reader.end ?? Number.POSITIVE_INFINITY) - at : header.size;
  return { type: header.type, at, size, headerSize: header.headerSize };
}

/** Reads the tracks of a whole `moov`, header included. @throws ParseError */
export function readMp4Tracks(moov: Uint8Array): Mp4Track[] {
  const budget = boxBudget();
  const inside = readBoxes(readBoxes(moov, budget)[0]!.body, budget);
  const mvhd = new ByteReader(requireBox(inside, 'mvhd', 'ISO/IEC 14496-12 §8.2.2').body, '§8.2.2');
  mvhd.skip(mvhd.u8() === 1 ? 3 + 16 : 3 + 8);
  const movieScale = mvhd.u32();
  const traks = inside.filter(({ type }) => type === 'trak');
  return parseInit(moov).tracks.map((init, index) => {
    const trak = readBoxes(traks[index]!.body, budget);
    let content = trak;
    for (const type of ['mdia', 'minf']) content = readBoxes(requireBox(content, type, '§8.4').body, budget);
    return {
      init,
      shift: editShift(findBox(trak, 'edts')?.body, movieScale === 0 ? 0 : init.timebase / movieScale),
      stbl: requireBox(content, 'stbl', '§8.5.1').body,
    };
  });
}

/** Ticks between media time and presentation: an empty edit delays, the first real one cuts (§8.6.6). */
function editShift(edts: Uint8Array | undefined, ticksPerMovieTick: number): number {
  const elst = edts === undefined ? undefined : findBox(readBoxes(edts), 'elst');
  if (elst === undefined) return 0;
  const reader = new ByteReader(elst.body, 'ISO/IEC 14496-12 §8.6.6');
  const long = reader.u8() === 1;
  reader.skip(3);
  let shift = 0;
  for (let left = reader.u32(); left > 0; left--) {
    const duration = long ? reader.u64() : reader.u32();
    const high = long ? reader.i32() : 0;
    const low = long ? reader.u32() : reader.i32();
    const empty = long ? high < 0 : low === -1;
    reader.skip(4);
    if (!empty) return shift - (high * 0x1_0000_0000 + low);
    shift += Math.round(duration * ticksPerMovieTick);
  }
  return shift;
}
