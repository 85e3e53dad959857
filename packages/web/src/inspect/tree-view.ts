import type { Node } from '@onair/media/inspect';
import { computed, signal } from '@preact/signals';

/** Depth down to which a tree is open at first. */
const OPEN_DEPTH = 1;
/** Trees with fewer nodes are open altogether. */
const SMALL_TREE = 120;

/** One line of the tree as it is to be seen. */
export interface TreeRow {
  /** Place among all nodes. */
  readonly index: number;
  readonly node: Node;
  /** It has nodes inside. */
  readonly parent: boolean;
  readonly open: boolean;
}

/** Nodes in the order of the file, of which closed ones hide what is inside. */
export class TreeView {
  readonly #nodes = signal<readonly Node[]>([]);
  readonly #closed = signal<ReadonlySet<number>>(new Set());
  readonly selected = signal<number | undefined>(undefined);
  /** What is to be seen. */
  readonly rows = computed(() => rowsOf(this.#nodes.value, this.#closed.value));

  get selectedNode(): Node | undefined {
    const index = this.selected.value;
    return index === undefined ? undefined : this.#nodes.value[index];
  }

  get length(): number {
    return this.#nodes.value.length;
  }

  clear(): void {
    this.show([]);
  }

  show(nodes: readonly Node[]): void {
    const closed = new Set<number>();
    if (nodes.length > SMALL_TREE) {
      for (const [index, node] of nodes.entries()) {
        if (node.depth >= OPEN_DEPTH && isParent(nodes, index)) closed.add(index);
      }
    }
    this.selected.value = undefined;
    this.#closed.value = closed;
    this.#nodes.value = nodes;
  }

  select(index: number): void {
    const closed = new Set(this.#closed.value);
    // What is selected is to be seen: everything around it opens.
    let depth = this.#nodes.value[index]?.depth ?? 0;
    for (let at = index - 1; at >= 0 && depth > 0; at--) {
      const node = this.#nodes.value[at]!;
      if (node.depth >= depth) continue;
      depth = node.depth;
      closed.delete(at);
    }
    if (closed.size !== this.#closed.value.size) this.#closed.value = closed;
    this.selected.value = index;
  }

  /** Opens or closes a node. */
  toggle(index: number, open = this.#closed.value.has(index)): void {
    const closed = new Set(this.#closed.value);
    if (open) closed.delete(index);
    else closed.add(index);
    this.#closed.value = closed;
  }

  /** The innermost node in which `offset` lies. */
  at(offset: number): number | undefined {
    let found: number | undefined;
    for (const [index, node] of this.#nodes.value.entries()) {
      if (node.offset > offset) break;
      if (node.size === undefined || offset < node.offset + node.size) found = index;
    }
    return found;
  }

  /** The row to go to with a key; undefined if the key moves nothing. */
  neighbour(key: string): number | undefined {
    const rows = this.rows.value;
    const place = rows.findIndex(({ index }) => index === this.selected.value);
    const row = rows[place];
    switch (key) {
      case 'ArrowDown':
        return rows[Math.min(rows.length - 1, place + 1)]?.index;
      case 'ArrowUp':
        return rows[Math.max(0, place - 1)]?.index;
      case 'PageDown':
        return rows[Math.min(rows.length - 1, place + 10)]?.index;
      case 'PageUp':
        return rows[Math.max(0, place - 10)]?.index;
      case 'Home':
        return rows[0]?.index;
      case 'End':
        return rows.at(-1)?.index;
      case 'ArrowLeft':
        return row === undefined ? rows[0]?.index : parentOf(rows, place)?.index;
      case 'ArrowRight':
        return row?.parent === true && row.open ? rows[place + 1]?.index : undefined;
      default:
        return undefined;
    }
  }
}

function isParent(nodes: readonly Node[], index: number): boolean {
  return (nodes[index + 1]?.depth ?? 0) > nodes[index]!.depth;
}

function parentOf(rows: readonly TreeRow[], place: number): TreeRow | undefined {
  const { depth } = rows[place]!.node;
  for (let at = place - 1; at >= 0; at--) if (rows[at]!.node.depth < depth) return rows[at];
  return undefined;
}

function rowsOf(nodes: readonly Node[], closed: ReadonlySet<number>): TreeRow[] {
  const rows: TreeRow[] = [];
  let hidden = Number.POSITIVE_INFINITY;
  for (const [index, node] of nodes.entries()) {
    if (node.depth > hidden) continue;
    const open = !closed.has(index);
    hidden = open ? Number.POSITIVE_INFINITY : node.depth;
    rows.push({ index, node, parent: isParent(nodes, index), open });
  }
  return rows;
}
