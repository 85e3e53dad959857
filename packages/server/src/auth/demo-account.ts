import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Name of the account for trying out; its password is in `docs/config.md`, so it opens nothing but this machine. */
export const DEMO_USER = 'hoge@example.jp';

/** Longest name and longest password that are looked at, in characters. */
export const MAX_ACCOUNT_LENGTH = 256;

const SALT = 'onair demo account';
const HASH = Buffer.from('566597e04be40e72387008c5bb65064a453dedaf9c2c6e89700106ad9fbf0a51', 'hex');
const derive = promisify<string, string, number, Buffer>(scrypt);

/** True for name and password of the account; takes as long whatever they are (scrypt, RFC 7914). */
export async function isDemoAccount(user: string, password: string): Promise<boolean> {
  const hash = await derive(password.slice(0, MAX_ACCOUNT_LENGTH + 1), SALT, HASH.length);
  return timingSafeEqual(hash, HASH) && user === DEMO_USER;
}
