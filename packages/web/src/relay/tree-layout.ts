import type { RelayTreeNode } from '@onair/contracts/relay';

/** A peer, or the server, at its place in the drawing. */
export interface PlacedNode {
  /** Undefined for the server. */
  readonly node: RelayTreeNode | undefined;
  /** Columns from the left and rows from the top; the server is in row 0. */
  readonly x: number;
  readonly y: number;
  /** Where the parent is; undefined for the server. */
  readonly from: { readonly x: number; readonly y: number } | undefined;
}

/** A drawing of a tree. */
export interface TreeLayout {
  readonly nodes: readonly PlacedNode[];
  readonly columns: number;
  readonly rows: number;
}

interface Placing {
  readonly node: RelayTreeNode | undefined;
  readonly y: number;
  readonly children: Placing[];
  x: number;
}

/**
 * Places a tree: those without children side by side, parents above the middle of theirs. A node whose parent is not
 * there hangs below the server, and so does one that is part of a circle.
 * @param most nodes that are drawn at most
 */
export function layoutTree(nodes: readonly RelayTreeNode[], root: string, most: number): TreeLayout {
  const byParent = new Map<string, RelayTreeNode[]>();
  const known = new Set(nodes.map(({ uuid }) => uuid));
  for (const node of nodes) {
    const parent = known.has(node.parent_uuid) ? node.parent_uuid : root;
    byParent.set(parent, [...(byParent.get(parent) ?? []), node]);
  }
  let left = most;
  const grow = (node: RelayTreeNode | undefined, y: number): Placing => {
    const children: Placing[] = [];
    for (const child of byParent.get(node?.uuid ?? root) ?? []) {
      if (left-- <= 0) break;
      children.push(grow(child, y + 1));
    }
    return { node, y, children, x: 0 };
  };
  const top = grow(undefined, 0);
  let columns = 0;
  let rows = 1;
  const out: PlacedNode[] = [];
  const place = (at: Placing): void => {
    rows = Math.max(rows, at.y + 1);
    for (const child of at.children) place(child);
    const first = at.children[0];
    at.x = first === undefined ? columns++ : (first.x + at.children[at.children.length - 1]!.x) / 2;
  };
  const list = (at: Placing, from: Placing | undefined): void => {
    out.push({ node: at.node, x: at.x, y: at.y, from: from && { x: from.x, y: from.y } });
    for (const child of at.children) list(child, at);
  };
  place(top);
  list(top, undefined);
  return { nodes: out, columns: Math.max(1, columns), rows };
}
