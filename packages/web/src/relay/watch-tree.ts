import { decodeRelayTree, type RelayTreeInfo } from '@onair/contracts/relay';
import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiFault } from '../api/api-client.ts';
import { api } from '../api/live.ts';
import type { StreamAddress } from '../watch/address.ts';

/** What the server sends and what direct delivery would take, bits per second. */
export interface RelayMoment {
  /** ms since 1970. */
  readonly time: number;
  readonly sent: number;
  readonly direct: number;
}

/** What the page knows of a tree. */
export interface TreeView {
  readonly tree: ReadonlySignal<RelayTreeInfo | undefined>;
  /** Oldest first. */
  readonly moments: ReadonlySignal<readonly RelayMoment[]>;
  /** True if only the operator may see it, and this is not the operator. */
  readonly closed: ReadonlySignal<boolean>;
}

const LOOK_INTERVAL = 1000;
const MAX_MOMENTS = 300;

/** The course between two looks. Bytes that peers gave each other would have been the server's. */
export function momentOf(
  before: RelayTreeInfo,
  now: RelayTreeInfo,
  elapsed: number,
  time: number,
): RelayMoment {
  const rate = (bytes: number): number => Math.max(0, (bytes * 8000) / elapsed);
  const blocks = now.sent.blocks - before.sent.blocks;
  const index = now.sent.index - before.sent.index;
  return { time, sent: rate(blocks + index), direct: rate(blocks + now.relayed - before.relayed) };
}

/** Looks at the tree again and again while the page is visible. */
export function watchTree(stream: StreamAddress): TreeView {
  const tree = signal<RelayTreeInfo | undefined>(undefined);
  const moments = signal<readonly RelayMoment[]>([]);
  const closed = signal(false);
  // Peers tell what they took every two seconds: the course is taken over as long.
  const past: { readonly tree: RelayTreeInfo; readonly time: number }[] = [];
  const look = async (): Promise<void> => {
    try {
      if (!document.hidden) {
        const now = decodeRelayTree(await api.read(`/streams/${stream.app}/${stream.name}/relay`));
        const time = Date.now();
        past.push({ tree: now, time });
        if (past.length > 5) past.shift();
        const before = past[0]!;
        if (time > before.time) {
          const moment = momentOf(before.tree, now, time - before.time, time);
          moments.value = [...moments.value, moment].slice(-MAX_MOMENTS);
        }
        tree.value = now;
        closed.value = false;
      }
    } catch (error) {
      if (error instanceof ApiFault && (error.status === 401 || error.status === 403)) closed.value = true;
    }
    setTimeout(look, LOOK_INTERVAL);
  };
  void look();
  return { tree, moments, closed };
}
