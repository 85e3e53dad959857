import type { Child } from './child.ts';

/** What a player saw. */
export interface PlayReport {
  /** Program that played. */
  readonly player: string;
  /** Video frames received, decoded where the player decodes. */
  readonly frames: number;
  /** Milliseconds of sound received, decoded where the player decodes. */
  readonly audioMs: number;
  /** Milliseconds from the start of the program to the first media it gave out. */
  readonly firstMs: number;
  /** Longest time in milliseconds without media after the first, by the clock of this machine. */
  readonly maxGapMs: number;
  /** Longest step in milliseconds between neighbouring video timestamps in presentation order. */
  readonly maxStepMs: number;
  /** Times the player stopped to fill its buffer after play had begun. Only mpv tells; 0 for the others. */
  readonly stalls: number;
  /** Errors in the player's own words. Empty when all was well. */
  readonly errors: readonly string[];
}

/** Collects arrivals while a player runs. Times are milliseconds of `performance.now()`. */
export class Arrivals {
  readonly #begin = performance.now();
  #first = Number.NaN;
  #last = Number.NaN;
  #maxGap = 0;

  /** Something arrived now. */
  add(): void {
    const now = performance.now();
    if (Number.isNaN(this.#first)) this.#first = now;
    else this.#maxGap = Math.max(this.#maxGap, now - this.#last);
    this.#last = now;
  }

  /** Whether anything arrived yet. */
  get any(): boolean {
    return !Number.isNaN(this.#first);
  }

  /** Milliseconds from construction to the first arrival, -1 when there was none. */
  get firstMs(): number {
    return Number.isNaN(this.#first) ? -1 : this.#first - this.#begin;
  }

  /** Longest pause between arrivals in milliseconds. */
  get maxGapMs(): number {
    return this.#maxGap;
  }
}

/** Longest step between neighbours after sorting; timestamps and result in the same unit. 0 for fewer than two. */
export function maxStep(timestamps: readonly number[]): number {
  const sorted = [...timestamps].sort((a, b) => a - b);
  let longest = 0;
  for (let at = 1; at < sorted.length; at++) longest = Math.max(longest, sorted[at]! - sorted[at - 1]!);
  return longest;
}

/** The end of a child's error output in one line, for messages. */
export function lastLines(child: Child, count = 8): string {
  return child.errorLines.slice(-count).join(' | ') || `no output, exit ${JSON.stringify(child.exit)}`;
}

/**
 * Let a player run until it ends by itself, at most `timeoutMs`; then it is stopped, which `late` tells.
 * The player is gone when this returns.
 */
export async function runPlayer(child: Child, timeoutMs: number): Promise<{ readonly late: boolean }> {
  let timer: NodeJS.Timeout | undefined;
  const late = await Promise.race([
    child.exited.then(() => false),
    new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, true);
    }),
  ]);
  clearTimeout(timer);
  if (late) await child.stop('SIGKILL');
  return { late };
}
