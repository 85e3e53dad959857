/** Flags of a sample that depends on no other: sample_depends_on 2. ISO/IEC 14496-12 §8.8.3.1. */
export const SYNC_SAMPLE_FLAGS = 0x0200_0000;
/** Flags of a sample that depends on others: sample_depends_on 1, sample_is_non_sync_sample. */
export const NON_SYNC_SAMPLE_FLAGS = 0x0101_0000;

/** True if `flags` mark a sample where decoding can start. ISO/IEC 14496-12 §8.8.3.1. */
export function isSyncSample(flags: number): boolean {
  return (flags & 0x1_0000) === 0;
}
