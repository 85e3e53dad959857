import {
  type AuditRecord,
  type Cue,
  decodeAuditLog,
  decodeCueList,
  decodePollList,
  decodeSchedule,
  type Poll,
  type ScheduledEvent,
} from '@onair/contracts/api';
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { ApiFault } from '../api/api-client.ts';
import { api } from '../api/live.ts';

/** Milliseconds between two looks at the server. */
const LOOK_INTERVAL = 1000;

/** When a cue is for: at once, in some seconds, when a clock shows a time, at a place of the stream. */
export type When =
  | { readonly kind: 'now' }
  | { readonly kind: 'after'; readonly seconds: number }
  | { readonly kind: 'wall'; readonly text: string }
  | { readonly kind: 'media'; readonly seconds: number };

/** A cue that was pressed and is still to be seen. */
export interface Pressed {
  readonly cue: string;
  /** When its place comes, ms since 1970 by this machine. */
  readonly due: number;
}

/** What the console knows and does. */
export interface ConsoleState {
  /** Whether the server takes this browser for the operator; undefined until it said. */
  readonly admin: ReadonlySignal<boolean | undefined>;
  readonly cues: ReadonlySignal<readonly Cue[]>;
  readonly scheduled: ReadonlySignal<readonly ScheduledEvent[]>;
  readonly polls: ReadonlySignal<readonly Poll[]>;
  readonly records: ReadonlySignal<readonly AuditRecord[]>;
  /** The stream that cues go to, `APP/NAME`. */
  readonly target: Signal<string | undefined>;
  /** Cues can be pressed. */
  readonly armed: Signal<boolean>;
  readonly when: Signal<When>;
  readonly pressed: ReadonlySignal<readonly Pressed[]>;
  /** What the server said to the last press, if it refused. */
  readonly fault: ReadonlySignal<string | undefined>;
  /** Fires an event. @param data left out for none. */
  fire(cue: Pick<Cue, 'id' | 'name' | 'duration'>, data?: unknown): Promise<boolean>;
  cancel(scheduled: ScheduledEvent): Promise<void>;
  endPoll(poll: Poll): Promise<void>;
  setCues(cues: readonly Cue[]): Promise<void>;
}

/** Look at the server again and again while the page is visible. */
export function openConsole(): ConsoleState {
  const admin = signal<boolean | undefined>(undefined);
  const cues = signal<readonly Cue[]>([]);
  const scheduled = signal<readonly ScheduledEvent[]>([]);
  const polls = signal<readonly Poll[]>([]);
  const records = signal<readonly AuditRecord[]>([]);
  const target = signal<string | undefined>(undefined);
  const armed = signal(false);
  const when = signal<When>({ kind: 'now' });
  const pressed = signal<readonly Pressed[]>([]);
  const fault = signal<string | undefined>(undefined);

  const look = async (): Promise<void> => {
    if (admin.value === undefined) {
      admin.value = (await api.whoAmI()).admin;
      if (admin.value) cues.value = decodeCueList(await api.ask('GET', '/cues')).cues;
    }
    if (!admin.value) return;
    const [log, plan, asked] = await Promise.all([
      api.ask('GET', '/event-log'),
      api.ask('GET', '/schedule'),
      api.ask('GET', '/polls'),
    ]);
    records.value = decodeAuditLog(log).records;
    scheduled.value = decodeSchedule(plan).scheduled;
    polls.value = decodePollList(asked).polls;
  };
  const lookSafely = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      // What is away comes back by itself; who was signed out must sign in.
      if (error instanceof ApiFault && (error.status === 401 || error.status === 403)) admin.value = false;
    }
  };
  const turn = async (): Promise<void> => {
    if (!document.hidden) await lookSafely();
    setTimeout(turn, LOOK_INTERVAL);
  };
  void turn();

  /** Does one thing, keeps what the server says against it, and looks again. */
  const act = async (method: string, path: string, body?: unknown): Promise<boolean> => {
    try {
      await api.ask(method, path, body);
      fault.value = undefined;
    } catch (error) {
      fault.value = error instanceof Error ? error.message : String(error);
      return false;
    }
    await lookSafely();
    return true;
  };

  return {
    admin,
    cues,
    scheduled,
    polls,
    records,
    target,
    armed,
    when,
    pressed,
    fault,
    async fire({ id, name, duration }, data) {
      const at = when.value;
      const done = await act('POST', `/streams/${target.value}/events`, {
        name,
        duration,
        ...(data === undefined ? {} : { data }),
        ...momentOf(at),
      });
      if (done && at.kind === 'after') {
        const due = Date.now() + at.seconds * 1000;
        pressed.value = [...pressed.value.filter((one) => one.due > Date.now()), { cue: id, due }];
      }
      return done;
    },
    cancel: async ({ stream, event }) => {
      await act('DELETE', `/streams/${stream}/schedule/${encodeURIComponent(event.id)}`);
    },
    endPoll: async ({ stream, id }) => {
      await act('POST', `/streams/${stream}/polls/${encodeURIComponent(id)}/end`);
    },
    async setCues(next) {
      if (await act('POST', '/cues', { cues: next })) cues.value = next;
    },
  };
}

/** The moment as a request says it. */
export function momentOf(when: When): object {
  switch (when.kind) {
    case 'now':
      return {};
    case 'after':
      return { after: when.seconds };
    case 'wall':
      return { wall: wallOf(when.text, Date.now()) };
    case 'media':
      return { time: when.seconds };
  }
}

/** The next time that a clock of this place shows `HH:MM` or `HH:MM:SS`. @param now ms since 1970 */
export function wallOf(text: string, now: number): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  const day = new Date(now);
  const at = day.setHours(hours, minutes, seconds, 0);
  if (at > now) return at;
  return day.setDate(day.getDate() + 1);
}
