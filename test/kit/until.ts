/** How long and how often {@link until} looks. */
export interface UntilOptions {
  /** Milliseconds until it gives up; default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between looks; default 20. */
  readonly everyMs?: number;
  /** What was awaited, for the error. */
  readonly message?: string | (() => string);
}

/**
 * Wait until `condition` gives something truthy, and return that. An error that the condition throws counts as
 * "not yet" and becomes the cause of the final error.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20, message = 'condition' }: UntilOptions = {},
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const end = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | undefined | null | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) {
      const what = typeof message === 'string' ? message : message();
      throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
