import { createHmac, randomBytes } from 'node:crypto';
import type { HandshakeCrypto } from '@onair/media/rtmp';

/** What the digest handshake of RTMP needs, by `node:crypto`. */
export const handshakeCrypto: HandshakeCrypto = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  randomBytes: (count) => randomBytes(count),
};
