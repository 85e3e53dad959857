import { Field } from './decode.ts';

/** A timed event as the API shows it. */
export interface ShownEvent {
  readonly id: string;
  readonly name: string;
  /** µs of stream time; an estimate while the event waits for a date. */
  readonly time: number;
  /** µs; 0 for a moment. */
  readonly duration: number;
  readonly data: unknown;
}

/** Most cue buttons. */
export const MAX_CUES = 32;
/** Longest JSON of a cue's data, in characters. */
export const MAX_CUE_DATA = 16_384;
/** Shapes of cue buttons: `plain` fires at once, `message`, `poll` and `quiz` ask for their words before. */
export const CUE_FORMS = ['plain', 'message', 'poll', 'quiz'] as const;

/** A button of the operator's console. */
export interface Cue {
  /** 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly id: string;
  /** What stands on it; where it is left out the page has words for its name. */
  readonly label?: string;
  /** Name of the event. */
  readonly name: string;
  readonly form: (typeof CUE_FORMS)[number];
  /** Seconds; 0 for a moment. */
  readonly duration: number;
  /** One letter or digit that presses it. */
  readonly key?: string;
  readonly data?: unknown;
}

/** Kinds of questions: opinions have no right answer. */
export const POLL_KINDS = ['poll', 'quiz'] as const;

/** A question that viewers answer, with what they answered until now. */
export interface Poll {
  /** Id of the event that asked it. */
  readonly id: string;
  /** `APP/NAME`. */
  readonly stream: string;
  readonly kind: (typeof POLL_KINDS)[number];
  readonly question: string;
  readonly choices: readonly string[];
  /** Answers to each choice. */
  readonly counts: readonly number[];
  /** When it was asked, ms since 1970. */
  readonly since: number;
  /** When it takes no more answers, or took the last, ms since 1970; never by itself if left out. */
  readonly until?: number;
  readonly closed: boolean;
  /** Index of the right choice: for operators, and once it is closed. */
  readonly correct?: number;
}

/** What an operator, a publisher or the server did with events. */
export const AUDIT_ACTIONS = ['fire', 'schedule', 'cancel', 'fail', 'close'] as const;

/** One line of the log of events. */
export interface AuditRecord {
  readonly action: (typeof AUDIT_ACTIONS)[number];
  /** `APP/NAME`. */
  readonly stream: string;
  readonly event: ShownEvent;
  /** `operator`, or what stands for a stream key. */
  readonly by: string;
  readonly address: string;
  /** ms since 1970. */
  readonly at: number;
  /** Why it failed. */
  readonly detail?: string;
}

/** An event that waits for its time. */
export interface ScheduledEvent {
  readonly stream: string;
  readonly event: ShownEvent;
  readonly by: string;
  /** The date it waits for, ms since 1970; for a place of the stream an estimate, absent while it is off air. */
  readonly due?: number;
  /** Whether it waits for a date or for a place of the stream. */
  readonly of: 'wall' | 'media';
}

/** Reads a {@link ShownEvent}. @throws DecodeError */
export function decodeShownEvent(field: Field): ShownEvent {
  return {
    id: field.at('id').string(128),
    name: field.at('name').string(64),
    time: field.at('time').number(),
    duration: field.at('duration').number(0),
    data: field.at('data').value ?? null,
  };
}

/** Reads a {@link Cue}, refusing fields of other names. @throws DecodeError */
export function decodeCue(field: Field): Cue {
  for (const name of Object.keys(field.object()))
    if (!['id', 'label', 'name', 'form', 'duration', 'key', 'data'].includes(name))
      field.at(name).fail('no field of this name');
  const id = field.at('id').string(64);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) field.at('id').fail('1 to 64 characters of A-Z a-z 0-9 _ -');
  const name = field.at('name').string(64);
  // Names of events: no quotes, no control characters.
  if (name === '' || /["\p{Cc}]/u.test(name))
    field.at('name').fail('1 to 64 characters without quotes and control characters');
  const duration = field.at('duration').number(0);
  if (duration > 86_400) field.at('duration').fail('at most 86400 seconds');
  const data = field.at('data');
  if (data.present && JSON.stringify(data.value).length > MAX_CUE_DATA)
    data.fail(`at most ${MAX_CUE_DATA} characters of JSON`);
  return {
    id,
    ...field.optional('label', (f) => f.string(64)),
    name,
    form: field.at('form').oneOf(CUE_FORMS),
    duration,
    ...field.optional('key', (f) => (/^[a-z0-9]$/.test(f.string(1)) ? f.string(1) : f.fail('a-z or 0-9'))),
    ...(data.present ? { data: data.value } : {}),
  };
}

/** Reads `{ "cues" }`. @throws DecodeError */
export function decodeCueList(value: unknown): { readonly cues: readonly Cue[] } {
  const field = (value instanceof Field ? value : new Field(value)).at('cues');
  const cues = field.list(decodeCue, MAX_CUES);
  if (new Set(cues.map(({ id }) => id)).size < cues.length) field.fail('cues with ids of their own');
  return { cues };
}

/** Reads a {@link Poll}. @throws DecodeError */
export function decodePoll(field: Field): Poll {
  return {
    id: field.at('id').string(128),
    stream: field.at('stream').string(129),
    kind: field.at('kind').oneOf(POLL_KINDS),
    question: field.at('question').string(),
    choices: field.at('choices').list((f) => f.string(), 16),
    counts: field.at('counts').list((f) => f.count(), 16),
    since: field.at('since').number(0),
    ...field.optional('until', (f) => f.number(0)),
    closed: field.at('closed').boolean(),
    ...field.optional('correct', (f) => f.count()),
  };
}

/** Reads the body of `GET /api/v1/polls`. @throws DecodeError */
export function decodePollList(value: unknown): { readonly polls: readonly Poll[] } {
  return { polls: new Field(value).at('polls').list(decodePoll) };
}

/** Reads one line of the log of events. @throws DecodeError */
export function decodeAuditRecord(field: Field): AuditRecord {
  return {
    action: field.at('action').oneOf(AUDIT_ACTIONS),
    stream: field.at('stream').string(129),
    event: decodeShownEvent(field.at('event')),
    by: field.at('by').string(),
    address: field.at('address').string(),
    at: field.at('at').number(0),
    ...field.optional('detail', (f) => f.string()),
  };
}

/** Reads the body of `GET /api/v1/event-log`. @throws DecodeError */
export function decodeAuditLog(value: unknown): { readonly records: readonly AuditRecord[] } {
  return { records: new Field(value).at('records').list(decodeAuditRecord) };
}

/** Reads the body of `GET /api/v1/schedule`. @throws DecodeError */
export function decodeSchedule(value: unknown): { readonly scheduled: readonly ScheduledEvent[] } {
  const scheduled = new Field(value).at('scheduled').list((field) => ({
    stream: field.at('stream').string(129),
    event: decodeShownEvent(field.at('event')),
    by: field.at('by').string(),
    ...field.optional('due', (f) => f.number(0)),
    of: field.at('of').oneOf(['wall', 'media']),
  }));
  return { scheduled };
}
