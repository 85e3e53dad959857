import { mediaSourceClass } from '../engine/browser-platform.ts';
import { TRANSPORTS, type Transport } from '../sources/source.ts';

/** A transport by name, or the automatic choice. */
export type TransportPreference = 'auto' | Transport;

/** What decides whether a browser can use a transport at all. */
export interface Capabilities {
  /** Media Source Extensions, plain or managed. */
  readonly mediaSource: boolean;
  readonly webSocket: boolean;
  /** HLS in the media element itself. */
  readonly nativeHls: boolean;
  readonly webRtc: boolean;
}

/** Capabilities of this browser. */
export function detectCapabilities(media: HTMLMediaElement): Capabilities {
  return {
    mediaSource: mediaSourceClass() !== undefined,
    webSocket: typeof WebSocket === 'function',
    nativeHls: media.canPlayType('application/vnd.apple.mpegurl') !== '',
    webRtc: typeof RTCPeerConnection === 'function',
  };
}

/**
 * The transports to try, best first: only the chosen one if a person chose. WebRTC and the relay have the others behind
 * them, for there are streams that they do not carry.
 */
export function transportOrder(preference: TransportPreference, can: Capabilities): readonly Transport[] {
  if (preference !== 'auto' && preference !== 'whep' && preference !== 'relay') return [preference];
  const usable: Readonly<Record<Transport, boolean>> = {
    ws: can.mediaSource && can.webSocket,
    // Used where the server offers it.
    relay: false,
    llhls: can.mediaSource,
    hls: can.nativeHls,
    flv: can.mediaSource,
    whep: can.webRtc,
  };
  const order = TRANSPORTS.filter((transport) => usable[transport]);
  return preference === 'auto'
    ? order
    : [preference, ...order.filter((transport) => transport !== preference)];
}
