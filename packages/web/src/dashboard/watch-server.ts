import type { Health, SessionInfo } from '@onair/contracts/api';
import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiFault } from '../api/api-client.ts';
import { api, live } from '../api/live.ts';
import { MAX_MOMENTS, type Moment, outRate, relayedBytes, type Sent, sentBytes } from './figures.ts';

/** Milliseconds between two looks at the server. */
const LOOK_INTERVAL = 2000;

/** Looks over which the traffic between viewers is taken. */
const SMOOTHED = 4;

/** What the dashboard knows besides the streams. */
export interface ServerView {
  readonly health: ReadonlySignal<Health | undefined>;
  readonly moments: ReadonlySignal<readonly Moment[]>;
  /** undefined until the first answer. */
  readonly sessions: ReadonlySignal<readonly SessionInfo[] | undefined>;
  /** Whether the server takes this browser for the operator; undefined until it said. */
  readonly admin: ReadonlySignal<boolean | undefined>;
  /** End a session and look again. */
  kick(id: string): Promise<void>;
  /** Give the session cookie back. */
  signOut(): Promise<void>;
}

/** Look at the server again and again while the page is visible. */
export function watchServer(): ServerView {
  const health = signal<Health | undefined>(undefined);
  const moments = signal<readonly Moment[]>([]);
  const sessions = signal<readonly SessionInfo[] | undefined>(undefined);
  const admin = signal<boolean | undefined>(undefined);
  let before: { readonly sent: Sent; readonly cpuSeconds: number; readonly at: number } | undefined;
  // Viewers tell what they took every two seconds: the course is taken over longer.
  const past: { readonly relayed: Sent; readonly at: number }[] = [];

  const lookAtHealth = async (): Promise<void> => {
    const now = await api.health();
    const time = Date.now();
    const streams = live().streams.value ?? [];
    const counts = sentBytes(streams);
    const relayed = relayedBytes(streams);
    if (before !== undefined) {
      const elapsed = time - before.at;
      const moment: Moment = {
        time,
        in: streams.reduce((sum, stream) => sum + stream.bitrateIn, 0),
        out: outRate(before.sent, counts, elapsed),
        relayed: relayed.size === 0 ? undefined : outRate(past[0]!.relayed, relayed, time - past[0]!.at),
        cpu: Math.max(0, ((now.cpuSeconds - before.cpuSeconds) * 1000) / elapsed),
        memory: now.memoryBytes,
        loopDelay: now.eventLoopDelayMs,
        viewers: now.viewers,
      };
      moments.value = [...moments.value, moment].slice(-MAX_MOMENTS);
    }
    if (live().streams.value !== undefined) {
      before = { sent: counts, cpuSeconds: now.cpuSeconds, at: time };
      past.push({ relayed, at: time });
      if (past.length > SMOOTHED) past.shift();
    }
    health.value = now;
  };
  const lookAtSessions = async (): Promise<void> => {
    if (admin.value === undefined) admin.value = (await api.whoAmI()).admin;
    if (!admin.value) return;
    try {
      sessions.value = await api.sessions();
    } catch (error) {
      if (error instanceof ApiFault && (error.status === 401 || error.status === 403)) admin.value = false;
    }
  };
  const look = async (): Promise<void> => {
    if (!document.hidden) await Promise.allSettled([lookAtHealth(), lookAtSessions()]);
    setTimeout(look, LOOK_INTERVAL);
  };
  void look();

  return {
    health,
    moments,
    sessions,
    admin,
    async kick(id) {
      await api.kick(id);
      await lookAtSessions();
    },
    async signOut() {
      await api.signOut();
      admin.value = false;
      sessions.value = undefined;
    },
  };
}
