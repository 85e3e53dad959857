import { cpus, loadavg } from 'node:os';

/**
 * How much longer things may take than on a quiet machine: 1 up to one running process per core, in proportion above.
 * For limits on times only; what happens must not depend on it.
 */
export function slack(): number {
  return Math.max(1, loadavg()[0]! / cpus().length);
}

/** Other work on the machine makes everything late: then times prove nothing about the server. */
export function isBusy(): boolean {
  return slack() > 1.5;
}

/** Milliseconds that answers of a server on this machine may be late. */
export function slackMs(): number {
  return isBusy() ? Number.POSITIVE_INFINITY : 1000;
}
