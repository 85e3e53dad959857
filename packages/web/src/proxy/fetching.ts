import { Field } from '@onair/contracts/api';
import { ApiFault } from '../api/api-client.ts';

/** A source that the server fetches. */
export interface Fetched {
  /** `APP/NAME` under which it is published. */
  readonly stream: string;
  readonly live: boolean;
  /** Why the last attempt failed. */
  readonly failure?: string;
}

/** Has the server fetch a source. @throws ApiFault */
export function fetchSource(url: string, key: string): Promise<Fetched> {
  const query = key === '' ? '' : `?key=${encodeURIComponent(key)}`;
  return ask(`/proxy/sources${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  });
}

/** How a source is. @throws ApiFault `NOT_FOUND` once nobody has watched it for a while. */
export function lookAt(stream: string): Promise<Fetched> {
  return ask(`/proxy/sources/${encodeURIComponent(stream.split('/')[1] ?? '')}`, {});
}

async function ask(address: string, init: RequestInit): Promise<Fetched> {
  const response = await fetch(address, { ...init, credentials: 'same-origin', cache: 'no-store' });
  const value: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new ApiFault(response.status, value);
  const answer = new Field(value);
  return {
    stream: answer.at('stream').string(200),
    live: answer.at('live').boolean(),
    ...answer.optional('failure', (field) => field.string()),
  };
}
