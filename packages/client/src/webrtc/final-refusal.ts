import { OfferRefused } from './http-session.ts';

/** Refusals that another try cannot change. */
const FINAL: ReadonlySet<string> = new Set([
  'CODEC_NOT_CARRIED',
  'OFFER_REFUSED',
  'NOT_FOUND',
  'STREAM_NAME_INVALID',
]);

/** True if a server refused an offer for a reason that stays. */
export function isFinalRefusal(error: unknown): boolean {
  return error instanceof OfferRefused && FINAL.has(error.code ?? '');
}
