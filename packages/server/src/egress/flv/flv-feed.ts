import { flvFileHeader } from '@onair/media/flv';
import { type Envelope, type PackagerKind, plainEnvelope, type ViewerTransport } from '../../hub/index.ts';
import type { TagPackager } from '../../packager/tags/index.ts';
import type { Viewing } from '../live/index.ts';
import { messageEnvelope } from '../websocket/frame.ts';

/** FLV as one endless file. */
export const FLV_ENVELOPE: Envelope<Uint8Array> = plainEnvelope('flv', (epoch) =>
  flvFileHeader({
    audio: epoch.tracks.some((track) => track.parameters.kind === 'audio'),
    video: epoch.tracks.some((track) => track.parameters.kind === 'video'),
  }),
);

/** FLV cut into binary WebSocket messages. */
export const WS_FLV_ENVELOPE: Envelope<Uint8Array> = messageEnvelope(FLV_ENVELOPE, 'ws-flv');

/** Joins a viewing to the stream's FLV log. */
export function joinFlv(
  viewing: Viewing,
  kind: PackagerKind<TagPackager>,
  envelope: Envelope<Uint8Array>,
  transport: ViewerTransport,
  windowMs: number,
): void {
  const { fanout } = viewing.stream.packager(kind);
  viewing.join(fanout.pump({ envelope, tracks: 'default', windowMs }).join(transport));
}
