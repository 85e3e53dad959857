import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Bits of randomness in every secret that the server makes. */
export const SECRET_BITS = 192;
/** Longest secret that is looked at, in characters. */
export const MAX_SECRET_LENGTH = 256;

/** A new secret: 32 characters of base64url. */
export function newSecret(): string {
  return randomBytes(SECRET_BITS / 8).toString('base64url');
}

/** SHA-256 of a secret. Enough for keeping secrets that are random throughout; not meant for passwords. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

/** Compares a secret with a hash in a time that does not depend on either. */
export function matchesHash(secret: string, hash: Uint8Array): boolean {
  return timingSafeEqual(hashSecret(secret.slice(0, MAX_SECRET_LENGTH + 1)), hash);
}
