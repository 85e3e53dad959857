import { LATENCY_TARGETS } from '../../packages/client/src/engine/live-edge.ts';

/** A block later than what a player of the relay keeps ahead is a stall, ms. */
export const LATE_MS = LATENCY_TARGETS.balanced.margin * 1000;

/** How a program goes: with a goodbye, with torn sockets, with nothing coming or going any more. */
export type Ending = 'leave' | 'crash' | 'cut';

/** What the bench asks of a host; each ask has one answer with its number. */
export type Ask = { readonly id: number } & (
  | { readonly do: 'direct'; readonly address: string }
  | { readonly do: 'join'; readonly address: string }
  | { readonly do: 'end'; readonly uuid: string; readonly how: Ending }
  | { readonly do: 'mark' }
  | { readonly do: 'count' }
  | { readonly do: 'look' }
);

/** What came to a program. */
export interface ProgramState {
  readonly uuid: string;
  readonly blocks: number;
  /** Missing or changed blocks since it came. */
  readonly faults: readonly string[];
  /** Of each block since the mark, from its arrival at the server to here, ms. */
  readonly delays: readonly number[];
  /** Since the mark. */
  readonly stalls: number;
  readonly parent: string | undefined;
  /** Late blocks that it asked the server for since it came. */
  readonly asked: number;
}

/** What a host answers. */
export interface HostAnswer {
  readonly id: number;
  readonly error?: string;
  readonly uuid?: string;
  /** Blocks since the mark at the program that had fewest. */
  readonly least?: number;
  readonly programs?: readonly ProgramState[];
  /** The viewer beside them that the server feeds: all its blocks and bytes, its delays and stalls since the mark. */
  readonly direct?: Pick<ProgramState, 'blocks' | 'delays' | 'stalls'> & { readonly bytes: number };
  /** Longest time since the mark that the process did not get round to anything, ms. */
  readonly busyMs?: number;
}
