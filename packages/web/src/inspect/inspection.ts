import type { ByteSource } from '@onair/media/file';
import type { Node, Report } from '@onair/media/inspect';
import { signal } from '@preact/signals';
import { TreeView } from './tree-view.ts';

/** Most boxes, elements, tags or packets that the tree keeps. */
export const MAX_TREE_NODES = 50_000;
/** Bytes of a selected node that are shown. */
export const SHOWN_BYTES = 512;
/** Milliseconds between two showings of how far the reading has come. */
const PROGRESS_MS = 100;

/** Where an inspection stands. */
export type InspectionState =
  | { readonly step: 'empty' }
  | { readonly step: 'reading'; readonly name: string; readonly share: number }
  | { readonly step: 'done'; readonly name: string; readonly report: Report }
  | { readonly step: 'failed'; readonly name: string; readonly why: string };

/** Ends the reading of a file that nobody wants to see any more. */
class Replaced extends Error {}

/** One file after another, read here and sent nowhere. */
export class Inspection {
  readonly state = signal<InspectionState>({ step: 'empty' });
  readonly tree = new TreeView();
  /** Bytes of the selected node from its beginning. */
  readonly bytes = signal<Uint8Array>(new Uint8Array(0));
  #source: ByteSource | undefined;

  /** Reads `file` instead of the one before. */
  async open(file: File): Promise<void> {
    const { name } = file;
    const source = fileSource(file);
    this.#source = source;
    this.state.value = { step: 'reading', name, share: 0 };
    this.bytes.value = new Uint8Array(0);
    this.tree.clear();
    const nodes: Node[] = [];
    let shown = performance.now();
    const guarded: ByteSource = {
      size: source.size,
      read: (at, length) => {
        if (this.#source !== source) throw new Replaced();
        return source.read(at, length);
      },
    };
    try {
      const { inspect } = await import('./inspector-engine.ts');
      const report = await inspect(guarded, {
        onNode: (node) => {
          if (nodes.length < MAX_TREE_NODES) nodes.push(node);
        },
        onProgress: (bytes) => {
          if (performance.now() - shown < PROGRESS_MS || this.#source !== source) return;
          shown = performance.now();
          this.state.value = { step: 'reading', name, share: bytes / Math.max(1, file.size) };
        },
      });
      if (this.#source !== source) return;
      this.tree.show(nodes);
      this.state.value = { step: 'done', name, report };
    } catch (error) {
      if (error instanceof Replaced || this.#source !== source) return;
      const why = error instanceof Error ? error.message : String(error);
      this.state.value = { step: 'failed', name, why };
    }
  }

  /** Selects a node and fetches its first bytes. */
  async select(index: number): Promise<void> {
    this.tree.select(index);
    const node = this.tree.selectedNode;
    const source = this.#source;
    if (node === undefined || source === undefined) return;
    const bytes = await source.read(node.offset, Math.min(node.size ?? SHOWN_BYTES, SHOWN_BYTES));
    if (this.tree.selectedNode === node) this.bytes.value = bytes;
  }

  /** Selects what lies at an offset, as far as the tree reaches. */
  reveal(offset: number): void {
    const index = this.tree.at(offset);
    if (index !== undefined) void this.select(index);
  }
}

/** A file that was dropped or chosen, read by ranges. */
function fileSource(file: Blob): ByteSource {
  return {
    size: file.size,
    read: async (at, length) => new Uint8Array(await file.slice(at, at + length).arrayBuffer()),
  };
}
