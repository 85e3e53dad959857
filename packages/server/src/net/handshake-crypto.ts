import {
  createDiffieHellman,
  createHmac,
  type DiffieHellman,
  getDiffieHellman,
  randomBytes,
} from 'node:crypto';
import { RTMPE_KEY_BYTES, type RtmpeCrypto } from '@onair/media/rtmp';

/** Bytes of a private key: twice the strength of the group (RFC 7919 §5.2). */
const PRIVATE_KEY_BYTES = 32;
/** Made at the first use, for its prime is checked then, which takes a tenth of a second. */
let group: DiffieHellman | undefined;

/** What the digest handshake of RTMP and RTMPE need, by `node:crypto`. */
export const handshakeCrypto: RtmpeCrypto = {
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  randomBytes: randomAhead,
  keyAgreement: () => {
    group ??= makeGroup();
    const shared = group;
    const privateKey = randomBytes(PRIVATE_KEY_BYTES);
    shared.setPrivateKey(privateKey);
    return {
      publicKey: padded(shared.generateKeys()),
      secret: (peerKey) => {
        shared.setPrivateKey(privateKey);
        return padded(shared.computeSecret(peerKey));
      },
    };
  },
};

/** Bytes that are made at a time: a call costs as much as some thousand of them. */
const AHEAD_BYTES = 16_384;
let ahead: Uint8Array = new Uint8Array(0);

/** Random bytes, each given once, as a view that is the caller's. */
function randomAhead(count: number): Uint8Array {
  if (count > AHEAD_BYTES) return randomBytes(count);
  if (ahead.length < count) ahead = randomBytes(AHEAD_BYTES);
  const taken = ahead.subarray(0, count);
  ahead = ahead.subarray(count);
  return taken;
}

/** `modp2` is the group of RFC 2409 §6.2. */
function makeGroup(): DiffieHellman {
  const known = getDiffieHellman('modp2');
  return createDiffieHellman(known.getPrime(), known.getGenerator());
}

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(RTMPE_KEY_BYTES);
  out.set(bytes, RTMPE_KEY_BYTES - bytes.length);
  return out;
}
