import type { FormatLog } from '../../hub/index.ts';

/** What a decoder needs in front of the chunks of an epoch. */
export interface CmafConfig {
  /** Init segment (`ftyp`+`moov`) of each track by track id. */
  readonly inits: ReadonlyMap<number, Uint8Array>;
}

/**
 * The log of CMAF chunks: a block is one chunk (`moof`+`mdat`) of one track. Its bytes serve WebSocket
 * viewers, HLS and DASH parts and segments, relays and recordings without being made again.
 */
export type CmafLog = FormatLog<CmafConfig>;
