import {
  encodeFmp4Json,
  FMP4_HEADER_LENGTH,
  FMP4_TYPE,
  type Fmp4Epoch,
  type Fmp4Header,
  type Fmp4TrackInfo,
  writeFmp4Header,
} from '@onair/contracts/fmp4-socket';
import type { CodecParameters, Track } from '@onair/media';
import { concatBytes } from '@onair/media/bytes';
import type { Block, Envelope, LogEpoch } from '../../hub/index.ts';
import type { CmafConfig } from '../../packager/cmaf/cmaf-log.ts';
import { framed, frameHeaderLength, writeBinaryFrameHeader } from '../websocket/frame.ts';

/**
 * CMAF blocks as binary WebSocket messages of `docs/protocols/ws-fmp4.md`. Server frames are unmasked
 * (RFC 6455 §5.1), so one buffer serves every viewer, frame headers included.
 */
export const WS_FMP4_ENVELOPE: Envelope<CmafConfig> = {
  name: 'ws-fmp4',
  opening: () => new Uint8Array(0),
  config: configMessages,
  batch: batchMessages,
};

/** Blocks as framed messages, one after the other. */
export function batchMessages(blocks: readonly Block<CmafConfig>[]): Uint8Array {
  let length = 0;
  for (const block of blocks) length += messageLength(block);
  const out = new Uint8Array(length);
  let at = 0;
  for (const block of blocks) at = writeMessage(block, out, at);
  return out;
}

function messageLength(block: Block<CmafConfig>): number {
  if (block.kind === 'config') return configMessages(block.epoch).length;
  const payload = FMP4_HEADER_LENGTH + block.bytes.length;
  return frameHeaderLength(payload) + payload;
}

function writeMessage(block: Block<CmafConfig>, out: Uint8Array, at: number): number {
  if (block.kind === 'config') {
    const config = configMessages(block.epoch);
    out.set(config, at);
    return at + config.length;
  }
  const payload = FMP4_HEADER_LENGTH + block.bytes.length;
  at = writeBinaryFrameHeader(out, at, payload);
  writeFmp4Header(out, at, {
    type: block.kind === 'notice' ? FMP4_TYPE.event : FMP4_TYPE.chunk,
    independent: block.independent,
    discontinuity: block.discontinuity,
    track: block.track,
    epoch: block.epoch.number,
    sequence: block.seq,
    time: Math.max(0, block.time),
    duration: block.duration,
    compositionOffset: block.compositionOffset,
    wallClock: Math.round(block.wallMs * 1000),
  });
  out.set(block.bytes, at + FMP4_HEADER_LENGTH);
  return at + payload;
}

const configs = new WeakMap<LogEpoch<CmafConfig>, Uint8Array>();

/** The framed `epoch` message and an `init` message per track; made once per epoch. */
export function configMessages(epoch: LogEpoch<CmafConfig>): Uint8Array {
  const known = configs.get(epoch);
  if (known !== undefined) return known;
  const made = initMessages(epoch.number, epoch.tracks, epoch.config.inits);
  configs.set(epoch, made);
  return made;
}

/** Frames of an `epoch` message and of an `init` message for each track that has an init segment. */
export function initMessages(
  epoch: number,
  all: readonly Track[],
  inits: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const tracks = all.filter((track) => inits.has(track.id));
  const description: Fmp4Epoch = { epoch, tracks: tracks.map(trackInfo) };
  const parts = [framed(encodeFmp4Json(header(FMP4_TYPE.epoch, 0, epoch), description))];
  for (const track of tracks) {
    const init = inits.get(track.id)!;
    const message = new Uint8Array(FMP4_HEADER_LENGTH + init.length);
    writeFmp4Header(message, 0, header(FMP4_TYPE.init, track.id, epoch));
    message.set(init, FMP4_HEADER_LENGTH);
    parts.push(framed(message));
  }
  return concatBytes(parts);
}

function header(type: number, track: number, epoch: number): Fmp4Header {
  return {
    type,
    independent: false,
    discontinuity: false,
    track,
    epoch,
    sequence: 0,
    time: 0,
    duration: 0,
    compositionOffset: 0,
    wallClock: 0,
  };
}

function trackInfo(track: Track): Fmp4TrackInfo {
  const { parameters } = track;
  if (parameters.kind === 'data') throw new TypeError('a data track has no init segment');
  const common = {
    id: track.id,
    codec: parameters.codec,
    codecString: parameters.codecString,
    mime: mimeType(parameters),
  };
  if (parameters.kind === 'audio') {
    return { ...common, kind: 'audio', sampleRate: parameters.sampleRate, channels: parameters.channels };
  }
  return {
    ...common,
    kind: 'video',
    width: parameters.width,
    height: parameters.height,
    ...(parameters.frameRate === undefined ? {} : { frameRate: parameters.frameRate }),
  };
}

function mimeType(parameters: Exclude<CodecParameters, { kind: 'data' }>): string {
  return `${parameters.kind}/mp4; codecs="${parameters.codecString}"`;
}
