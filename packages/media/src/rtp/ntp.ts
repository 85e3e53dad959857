/** A time of RTCP: seconds since 1900 and fractions of 2^-32 s. RFC 3550 §4. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

/** Seconds from the NTP epoch, 1900, to the Unix epoch. */
const UNIX_EPOCH = 2_208_988_800;

/** @param ms since the Unix epoch. */
export function ntpOfMs(ms: number): NtpTime {
  const seconds = Math.floor(ms / 1000);
  const fraction = Math.floor(((ms - seconds * 1000) / 1000) * 2 ** 32);
  return { seconds: (seconds + UNIX_EPOCH) % 2 ** 32, fraction };
}

/** Milliseconds since the Unix epoch. */
export function msOfNtp({ seconds, fraction }: NtpTime): number {
  return (seconds - UNIX_EPOCH) * 1000 + (fraction / 2 ** 32) * 1000;
}

/** The middle 32 bits, as reports repeat them. RFC 3550 §6.4.1. */
export function middleOfNtp({ seconds, fraction }: NtpTime): number {
  return ((seconds & 0xffff) * 0x1_0000 + (fraction >>> 16)) >>> 0;
}
