import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
/** Names one session in log, API and metrics. Unguessable (96 bits), so that it may stand in an address. */
export type SessionId = string & { readonly [brand]: 'SessionId' };

/** A new session id: 16 characters of base64url. */
export function newSessionId(): SessionId {
  return randomBytes(12).toString('base64url') as SessionId;
}
