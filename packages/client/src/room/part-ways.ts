import { writeFilePart } from '@onair/contracts/rooms';
import type { PartWay } from './file-sender.ts';

/** How a file is sent over a channel (RFC 8831 §6.4); what a channel loses is sent again once the rest is there. */
export const FILE_DELIVERIES = {
  ordered: { ordered: true },
  unordered: { ordered: false },
  /** Given up after three seconds: `maxRetransmitTime` of old. */
  timed: { ordered: false, maxPacketLifeTime: 3000 },
  /** Not sent again by the channel. */
  once: { ordered: false, maxRetransmits: 0 },
} as const satisfies Readonly<Record<string, RTCDataChannelInit>>;
/** A way of {@link FILE_DELIVERIES}. */
export type FileDelivery = keyof typeof FILE_DELIVERIES;

/** Bytes that wait in a channel at most; Chromium closes one in which 16 MiB wait. */
const MAX_BUFFERED = 1024 * 1024;
const LOW_BUFFERED = 256 * 1024;
/** Longest wait for a channel to open or to take more, ms. */
const STUCK_MS = 30_000;
/** Of the bytes per second that the server lets through, so that none are refused. */
const SERVER_SHARE = 0.8;

/** Sends parts over a channel of their own, which is this object's. */
export function channelWay(channel: RTCDataChannel): PartWay {
  channel.bufferedAmountLowThreshold = LOW_BUFFERED;
  return {
    async send(index, data) {
      if (channel.readyState === 'connecting') await once(channel, 'open');
      if (channel.bufferedAmount > MAX_BUFFERED) await once(channel, 'bufferedamountlow');
      channel.send(writeFilePart(index, data));
    },
    close: () => channel.close(),
  };
}

/** Sends parts over the server at the pace that it allows. @param perSecond bytes. */
export function serverWay(perSecond: number, send: (index: number, data: Uint8Array) => void): PartWay {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end: ((error: Error) => void) | undefined;
  return {
    send: (index, data) =>
      new Promise((resolve, reject) => {
        send(index, data);
        end = reject;
        timer = setTimeout(resolve, (data.length * 1000) / (perSecond * SERVER_SHARE));
      }),
    close() {
      clearTimeout(timer);
      end?.(new Error('closed'));
    },
  };
}

function once(channel: RTCDataChannel, event: 'open' | 'bufferedamountlow'): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(new Error('stuck')), STUCK_MS);
    const done = (error?: Error): void => {
      clearTimeout(timer);
      channel.removeEventListener(event, good);
      channel.removeEventListener('close', bad);
      if (error === undefined) resolve();
      else reject(error);
    };
    const good = (): void => done();
    const bad = (): void => done(new Error('closed'));
    channel.addEventListener(event, good);
    channel.addEventListener('close', bad);
    if (channel.readyState === 'closing' || channel.readyState === 'closed') bad();
  });
}
