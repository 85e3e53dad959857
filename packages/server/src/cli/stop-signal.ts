/** Until the first SIGINT or SIGTERM: a signal that it aborts. A second one ends the process as usual. */
export interface StopSignal {
  readonly signal: AbortSignal;
  /** Stops listening. */
  release(): void;
}

/** Listens for the request to end. The caller releases it. */
export function stopSignal(): StopSignal {
  const abort = new AbortController();
  const release = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  const stop = (): void => {
    release();
    abort.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: abort.signal, release };
}
