/** What an HTTP status says about a stream. */
export type Availability = 'there' | 'waiting' | 'denied' | 'unreachable';

/** Reads a status: 404 and 503 mean that nobody publishes now; 0 that no answer came. */
export function availabilityOf(status: number): Availability {
  if (status >= 200 && status < 400) return 'there';
  if (status === 404 || status === 503) return 'waiting';
  if (status === 401 || status === 403) return 'denied';
  return 'unreachable';
}

/** Asks for `address` and drops the answer's body. */
export async function availabilityAt(address: string, signal: AbortSignal): Promise<Availability> {
  try {
    const response = await fetch(address, { cache: 'no-store', signal });
    await response.body?.cancel();
    return availabilityOf(response.status);
  } catch {
    return 'unreachable';
  }
}
