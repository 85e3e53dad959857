import { z } from 'zod';
import { key } from '../field.ts';

const urls = (kind: RegExp) => z.array(z.string().max(255).regex(kind)).max(8);
const ANY = /^(stun|stuns|turn|turns):[^\s<>"]+$/;
const TURN = /^turns?:[^\s<>"]+$/;
const word = () =>
  z
    .string()
    .min(1)
    .max(256)
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/);

/** STUN and TURN servers. */
export const ice = z.strictObject({
  servers: key(
    z
      .array(
        z.strictObject({
          urls: key(urls(ANY).min(1), { description: 'Addresses of the server.' }),
          username: key(word().optional(), { description: 'User name, for TURN.' }),
          credential: key(word().optional(), { description: 'Password, for TURN.', secret: true }),
        }),
      )
      .max(8)
      .default([]),
    { description: 'STUN and TURN servers that are always the same.', reload: true },
  ),
  turnUrls: key(urls(TURN).default([]), {
    description:
      'TURN servers that share `ice.turnSecret`, such as `turn:turn.example.org:3478?transport=udp`. Everybody gets a user name and a password of their own.',
    reload: true,
  }),
  turnSecret: key(z.string().min(8).max(256).optional(), {
    description:
      'Secret shared with these servers (`static-auth-secret` of coturn). The user name is when it ends to be valid, the password its HMAC.',
    reload: true,
    secret: true,
  }),
  turnSeconds: key(z.int().min(60).max(604_800).default(21_600), {
    description: 'How long such a password is valid, seconds. Connections that stand then go on.',
    reload: true,
  }),
  relayOnly: key(z.boolean().default(false), {
    description: 'Whether rooms connect over TURN only, so that nobody there learns another’s address.',
    reload: true,
  }),
});
