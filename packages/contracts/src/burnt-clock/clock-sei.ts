/**
 * UUID (RFC 4122) of the clock message: `74f0f526-d94a-4210-92eb-71b6244e6f03`. The message is an SEI
 * user_data_unregistered (ITU-T H.264 clause D.1.7): this UUID, then the time as an unsigned 64-bit
 * big-endian count of microseconds since 1970-01-01T00:00:00Z.
 */
export const CLOCK_SEI_UUID: Uint8Array = Uint8Array.of(
  ...[0x74, 0xf0, 0xf5, 0x26, 0xd9, 0x4a, 0x42, 0x10, 0x92, 0xeb, 0x71, 0xb6, 0x24, 0x4e, 0x6f, 0x03],
);

/** nal_unit_type of supplemental enhancement information (clause 7.4.1, table 7-1). */
const NAL_SEI = 6;
/** payloadType of user_data_unregistered (clause D.1). */
const USER_DATA_UNREGISTERED = 5;
/** Bytes of our message: UUID and time. */
const MESSAGE_LENGTH = 24;
/** NAL units looked at in one access unit; the clock stands in front of the first slice. */
const MAX_NAL_UNITS = 32;
/** Bytes of one SEI NAL unit that are looked at. */
const MAX_SEI_LENGTH = 4096;

/**
 * The clock message as a whole NAL unit with emulation prevention, without a length in front.
 * @param us microseconds since 1970-01-01T00:00:00Z, a non-negative safe integer.
 */
export function clockSei(us: number): Uint8Array {
  if (!Number.isSafeInteger(us) || us < 0) {
    throw new RangeError(`the clock message holds whole microseconds, received ${us}`);
  }
  const payload = new Uint8Array(3 + MESSAGE_LENGTH + 1);
  payload[0] = NAL_SEI;
  payload[1] = USER_DATA_UNREGISTERED;
  payload[2] = MESSAGE_LENGTH;
  payload.set(CLOCK_SEI_UUID, 3);
  const view = new DataView(payload.buffer);
  view.setUint32(19, Math.floor(us / 0x1_0000_0000));
  view.setUint32(23, us % 0x1_0000_0000);
  payload[27] = 0x80; // rbsp_trailing_bits
  const out: number[] = [];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(out);
}

/**
 * The time of the clock message in an H.264 access unit with 4-byte NAL lengths, in microseconds since
 * 1970-01-01T00:00:00Z; undefined where there is none or the unit is malformed. Only reads.
 */
export function readClockSei(accessUnit: Uint8Array): number | undefined {
  const view = new DataView(accessUnit.buffer, accessUnit.byteOffset, accessUnit.byteLength);
  let at = 0;
  for (let units = 0; units < MAX_NAL_UNITS && at + 5 <= accessUnit.length; units++) {
    const length = view.getUint32(at);
    const start = at + 4;
    if (length === 0 || length > accessUnit.length - start) return undefined;
    const type = accessUnit[start]! & 0x1f;
    if (type >= 1 && type <= 5) return undefined; // a slice: no SEI of this picture follows
    if (type === NAL_SEI) {
      const us = readMessages(removeEmulation(accessUnit.subarray(start + 1, start + length)));
      if (us !== undefined) return us;
    }
    at = start + length;
  }
  return undefined;
}

/** The bytes without emulation prevention (clause 7.4.1.1), at most {@link MAX_SEI_LENGTH}. */
function removeEmulation(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.min(bytes.length, MAX_SEI_LENGTH));
  let length = 0;
  let zeros = 0;
  for (let at = 0; at < bytes.length && length < out.length; at++) {
    const byte = bytes[at]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}

/** Walks the sei_message() structures of clause 7.3.2.3.1. */
function readMessages(rbsp: Uint8Array): number | undefined {
  let at = 0;
  const readValue = (): number => {
    let value = 0;
    while (at < rbsp.length && rbsp[at] === 0xff) {
      value += 255;
      at++;
    }
    return value + (rbsp[at++] ?? 0);
  };
  while (at + 1 < rbsp.length) {
    const type = readValue();
    const size = readValue();
    if (size > rbsp.length - at) return undefined;
    if (type === USER_DATA_UNREGISTERED && size === MESSAGE_LENGTH) {
      const us = readMessage(rbsp.subarray(at, at + size));
      if (us !== undefined) return us;
    }
    at += size;
  }
  return undefined;
}

function readMessage(message: Uint8Array): number | undefined {
  for (let at = 0; at < CLOCK_SEI_UUID.length; at++) {
    if (message[at] !== CLOCK_SEI_UUID[at]) return undefined;
  }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const us = view.getUint32(16) * 0x1_0000_0000 + view.getUint32(20);
  return Number.isSafeInteger(us) ? us : undefined;
}
