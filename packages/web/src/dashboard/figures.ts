import type { Health, SessionInfo, StreamInfo } from '@onair/contracts/api';

/** The server's figures at one moment. */
export interface Moment {
  /** Milliseconds since 1970, by this machine. */
  readonly time: number;
  /** Bits per second that publishers send. */
  readonly in: number;
  /** Bits per second sent to viewers since the moment before. */
  readonly out: number;
  /** Bits per second that viewers sent each other in place of the server; undefined if none passes streams on. */
  readonly relayed: number | undefined;
  /** Part of one processor core in use since the moment before; above 1 with several. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Milliseconds. */
  readonly loopDelay: number;
  readonly viewers: number;
}

/** Longest course that is kept, in moments. */
export const MAX_MOMENTS = 300;

/** Bytes sent per stream. */
export type Sent = ReadonlyMap<string, number>;

/** How many bytes each stream has sent so far. */
export function sentBytes(streams: readonly StreamInfo[]): Sent {
  return new Map(streams.map((stream) => [stream.name, stream.bytesOut]));
}

/** How many bytes the viewers of each stream got from each other so far; without those that are not passed on. */
export function relayedBytes(streams: readonly StreamInfo[]): Sent {
  const relayed = streams.filter((stream) => stream.bytesRelayed !== undefined);
  return new Map(relayed.map((stream) => [stream.name, stream.bytesRelayed!]));
}

/** Bits per second between two counts; a stream that is new or began anew counts from zero. */
export function outRate(before: Sent, now: Sent, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0;
  let total = 0;
  for (const [name, count] of now) {
    const earlier = before.get(name) ?? 0;
    total += count >= earlier ? count - earlier : count;
  }
  return (total * 8000) / elapsedMs;
}

/** Something that needs the operator. */
export type Alert =
  | { readonly kind: 'waiting' | 'silent' | 'stalled'; readonly stream: string }
  | { readonly kind: 'slow'; readonly stream: string; readonly sessions: number }
  | { readonly kind: 'busy'; readonly loopDelay: number }
  | { readonly kind: 'stopping' };

/** Delay of the event loop above which frames leave visibly late, milliseconds. */
const BUSY_ABOVE = 100;
/** Backlog above which a viewer is about to be moved forward, milliseconds. */
const SLOW_ABOVE = 2000;

/** What needs the operator now, most urgent first. */
export function alertsOf(
  health: Health | undefined,
  streams: readonly StreamInfo[],
  sessions: readonly SessionInfo[],
): readonly Alert[] {
  const alerts: Alert[] = [];
  if (health?.status === 'stopping') alerts.push({ kind: 'stopping' });
  if (health !== undefined && health.eventLoopDelayMs > BUSY_ABOVE) {
    alerts.push({ kind: 'busy', loopDelay: health.eventLoopDelayMs });
  }
  for (const stream of streams) {
    if (stream.state === 'waiting') alerts.push({ kind: 'waiting', stream: stream.name });
    if (stream.state !== 'live') continue;
    if (stream.bitrateIn === 0 && stream.bitrateHistory.length > 5) {
      alerts.push({ kind: 'stalled', stream: stream.name });
    } else if (stream.tracks.some(isVideo) && !stream.tracks.some(isAudio)) {
      alerts.push({ kind: 'silent', stream: stream.name });
    }
    const slow = sessions.filter(
      (session) => session.stream === stream.name && (session.backlogMs ?? 0) > SLOW_ABOVE,
    ).length;
    if (slow > 0) alerts.push({ kind: 'slow', stream: stream.name, sessions: slow });
  }
  return alerts;
}

function isVideo(track: { readonly kind: string }): boolean {
  return track.kind === 'video';
}

function isAudio(track: { readonly kind: string }): boolean {
  return track.kind === 'audio';
}
