import { concatBytes } from '../bytes/index.ts';
import { ParseError } from '../model/errors.ts';
import { escapeRbsp, joinLengthPrefixed, splitLengthPrefixed, unescapeRbsp } from './nal.ts';

/** payloadType values. ITU-T H.264 Annex D, ITU-T H.265 Annex D. */
export const SEI_TYPE = { userDataUnregistered: 5, recoveryPoint: 6 } as const;

/** Most messages looked at in one SEI NAL unit. */
const MAX_MESSAGES = 64;

/** One message of an SEI NAL unit. */
export interface SeiMessage {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Which codec's NAL headers are meant. */
export type SeiCodec = 'h264' | 'hevc';

const HEADER: Record<SeiCodec, { readonly size: number; readonly prefixSei: Uint8Array }> = {
  h264: { size: 1, prefixSei: Uint8Array.of(0x06) },
  hevc: { size: 2, prefixSei: Uint8Array.of(0x4e, 0x01) },
};

/**
 * Messages of an SEI NAL unit without its header (§7.3.2.3.1 of both standards). Reading ends quietly at
 * the first message that is cut off: an SEI message never decides whether a picture can be shown.
 */
export function parseSei(body: Uint8Array): SeiMessage[] {
  const rbsp = unescapeRbsp(body);
  const messages: SeiMessage[] = [];
  let at = 0;
  const read = (): number => {
    let value = 0;
    while (rbsp[at] === 0xff) {
      value += 255;
      at++;
    }
    return value + (rbsp[at++] ?? 0);
  };
  while (at + 2 < rbsp.length && messages.length < MAX_MESSAGES) {
    const type = read();
    const size = read();
    if (at + size > rbsp.length) break;
    messages.push({ type, payload: rbsp.subarray(at, at + size) });
    at += size;
  }
  return messages;
}

/** True if an SEI NAL unit (without header) holds a recovery point message. */
export function isRecoveryPoint(body: Uint8Array): boolean {
  // Almost every SEI begins with another type; the full walk is for those with several messages.
  if (body[0] === SEI_TYPE.recoveryPoint) return true;
  if (body.length > MAX_RECOVERY_SEARCH_BYTES) return false;
  return parseSei(body).some((message) => message.type === SEI_TYPE.recoveryPoint);
}

/** Longer SEI units are captions or user data, and are not searched per access unit. */
const MAX_RECOVERY_SEARCH_BYTES = 512;

/**
 * Payload of the first user_data_unregistered message with this UUID (§D.1.7 / §D.2.7), as a view.
 * @param unit access unit with 4-byte NAL lengths. @param uuid 16 bytes.
 */
export function findUserData(codec: SeiCodec, unit: Uint8Array, uuid: Uint8Array): Uint8Array | undefined {
  const headerSize = HEADER[codec].size;
  for (const nal of splitLengthPrefixed(unit)) {
    if (!isSei(codec, nal)) continue;
    for (const { type, payload } of parseSei(nal.subarray(headerSize))) {
      if (type !== SEI_TYPE.userDataUnregistered || payload.length < 16) continue;
      if (uuid.every((byte, i) => payload[i] === byte)) return payload.subarray(16);
    }
  }
  return undefined;
}

/**
 * The access unit with a user_data_unregistered message in front of its first picture data.
 * @param unit access unit with 4-byte NAL lengths; not changed. @param uuid 16 bytes.
 */
export function insertUserData(
  codec: SeiCodec,
  unit: Uint8Array,
  uuid: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  if (uuid.length !== 16) {
    throw new ParseError('NAL_MALFORMED', 'ITU-T H.264 §D.1.7', `a UUID of ${uuid.length} bytes`);
  }
  const message: number[] = [SEI_TYPE.userDataUnregistered];
  let size = 16 + payload.length;
  for (; size >= 255; size -= 255) message.push(255);
  message.push(size);
  const rbsp = concatBytes([Uint8Array.from(message), uuid, payload, Uint8Array.of(0x80)]);
  const sei = concatBytes([HEADER[codec].prefixSei, escapeRbsp(rbsp)]);
  const nals = splitLengthPrefixed(unit);
  const first = nals.findIndex((nal) => isPicture(codec, nal));
  return joinLengthPrefixed(nals.toSpliced(first < 0 ? nals.length : first, 0, sei));
}

function isSei(codec: SeiCodec, nal: Uint8Array): boolean {
  const type = codec === 'h264' ? nal[0]! & 0x1f : (nal[0]! >> 1) & 0x3f;
  return codec === 'h264' ? type === 6 : type === 39 || type === 40;
}

function isPicture(codec: SeiCodec, nal: Uint8Array): boolean {
  const type = codec === 'h264' ? nal[0]! & 0x1f : (nal[0]! >> 1) & 0x3f;
  return codec === 'h264' ? type >= 1 && type <= 5 : type < 32;
}
