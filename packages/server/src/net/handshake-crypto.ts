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
  randomBytes: (count) => randomBytes(count),
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
