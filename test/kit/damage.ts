import { bytesSource } from '@onair/media/file';
import { inspect, isDamaged, MAX_FINDINGS, type Node, type Report } from '@onair/media/inspect';

/** Most boxes of a file at whose edges it is cut. */
const MAX_EDGES = 400;
/** No such limit. */
export const ALL_EDGES = Number.POSITIVE_INFINITY;

/** A generator of numbers from 0 to 1 that gives the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @throws Error unless the report is sound, whatever the bytes were. */
export function checkReport(report: Report, size: number): void {
  if (report.findings.length > 2 * MAX_FINDINGS) throw new Error('too many findings');
  for (const { offset = 0, message } of report.findings) {
    if (!(offset >= 0 && offset <= size) || message === '')
      throw new Error(`${message} at ${offset} of ${size}`);
  }
  if (!Number.isFinite(report.duration)) throw new Error(`a duration of ${report.duration}`);
}

async function look(bytes: Uint8Array): Promise<{ report: Report; nodes: Node[] }> {
  const nodes: Node[] = [];
  const report = await inspect(bytesSource(bytes), { onNode: (node) => nodes.push(node) });
  checkReport(report, bytes.length);
  return { report, nodes };
}

/** Cuts a file at the edges of its boxes, one byte beside them, and at `count` places: all before is still shown. */
export async function checkCuts(bytes: Uint8Array, count: number, edges = MAX_EDGES): Promise<void> {
  const whole = await look(bytes);
  if (isDamaged(whole.report)) throw new Error('the file is damaged before it is cut');
  const cuts = new Set<number>();
  for (const { offset, size } of whole.nodes.slice(0, edges)) {
    for (const off of [-1, 0, 1]) cuts.add(offset + off).add(offset + (size ?? 0) + off);
  }
  const random = seeded(7);
  for (let i = 0; i < count; i++) cuts.add(Math.floor(random() * bytes.length));
  for (const cut of cuts) {
    if (cut < 0 || cut >= bytes.length) continue;
    const { report, nodes } = await look(bytes.subarray(0, cut));
    const before = whole.nodes.filter(({ offset, size }) => size !== undefined && offset + size <= cut);
    // Of too little to know what it is nothing can be shown.
    if (report.format !== undefined && nodes.length < before.length) {
      throw new Error(`cut at ${cut}: ${nodes.length} of ${before.length} are shown`);
    }
  }
}

/** Changes a few bytes of a file `count` times: each ends in a report. */
export async function checkMutations(bytes: Uint8Array, count: number): Promise<void> {
  const random = seeded(bytes.length);
  const byte = (): number => Math.floor(random() * 256);
  for (let i = 0; i < count; i++) {
    const copy = bytes.slice();
    for (let left = 1 + Math.floor(random() * 8); left > 0; left--) {
      // Structure is mostly at the front.
      const at = Math.floor((random() < 0.5 ? random() : random() ** 4) * copy.length);
      copy[at] = [0, 255, 127, 1, byte()][Math.floor(random() * 5)]!;
    }
    checkReport(await inspect(bytesSource(copy)), copy.length);
  }
}
