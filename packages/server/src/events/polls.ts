import { createHash } from 'node:crypto';
import { type Field, POLL_KINDS, type Poll } from '@onair/contracts';
import type { StreamName, TimedEvent } from '@onair/media';
import { keptStream } from './operator-file.ts';

/** Choices of one question. */
const MAX_CHOICES = 8;
/** Longest question and choice, in characters. */
const MAX_QUESTION = 300;
const MAX_CHOICE = 120;
/** Questions that take answers at one time, and closed ones that are still known. */
const MAX_OPEN = 64;
const MAX_CLOSED = 100;
/** Viewers that answer one question, and those of one address: many sit behind one router, none is a million. */
const MAX_VOTERS = 200_000;
const MAX_VOTERS_OF_ADDRESS = 250;
/** Viewers see the question later than it was asked, so they may answer so long after its end, ms. */
const GRACE_MS = 15_000;
/** A question without end takes answers for a day, ms. */
const MAX_OPEN_MS = 86_400_000;

/** Votes are kept together after so long, and the longer the more there are: each time all are written. */
const VOTE_PAUSE_MS = 1000;
const PAUSE_PER_VOTER_MS = 0.05;

/** Who answers. */
export interface Voter {
  /** What tells this viewer from others: a connection, or a token of its own making. */
  readonly token: string;
  /** Remote address without port. */
  readonly address: string;
}

/** Why an answer was not taken. */
export type PollErrorCode = 'POLL_NOT_FOUND' | 'POLL_CLOSED' | 'ALREADY_ANSWERED' | 'LIMIT_REACHED';

/** An answer that was not taken. */
export class PollError extends Error {
  override readonly name = 'PollError';
  readonly code: PollErrorCode;

  constructor(code: PollErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A question as it is asked for. */
export interface Question {
  readonly kind: Poll['kind'];
  readonly question: string;
  readonly choices: readonly string[];
  /** Index of the right choice; viewers are told when it is closed. */
  readonly correct: number | undefined;
}

interface Box {
  readonly id: string;
  readonly stream: StreamName;
  readonly question: Question;
  readonly counts: number[];
  readonly since: number;
  until: number;
  closed: boolean;
  /** Who answered, as {@link markOf}; empty once it is closed. */
  readonly voters: Set<string>;
  readonly addresses: Map<string, number>;
}

/** The question that an event named `poll` or `quiz` with `choices` asks; undefined for other events. @throws DecodeError */
export function readQuestion(name: string, data: Field): Question | undefined {
  const kind = POLL_KINDS.find((one) => one === name);
  if (kind === undefined || !hasChoices(data.value)) return undefined;
  const choices = data.at('choices').list((field) => {
    const text = field.string(MAX_CHOICE).trim();
    return text === '' ? field.fail('a text') : text;
  }, MAX_CHOICES);
  if (choices.length < 2) data.at('choices').fail('at least 2 choices');
  const question = data.at('question').string(MAX_QUESTION);
  const right = data.at('correct');
  const correct = right.present ? right.count() : undefined;
  if (correct !== undefined && (kind === 'poll' || correct >= choices.length))
    right.fail('the index of a choice of a quiz');
  return { kind, question, choices, correct };
}

function hasChoices(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'choices' in data;
}

/** Questions to the viewers of all streams, and how they were answered: one answer of each viewer. */
export class Polls {
  readonly #wall: () => number;
  readonly #closing: (poll: Poll) => void;
  readonly #changed: (pauseMs: number) => void;
  readonly #boxes = new Map<string, Box>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param closing called when a question has ended by itself. @param wall ms since the Unix epoch.
   * @param changed called when something is to be kept, within so many ms.
   */
  constructor(
    closing: (poll: Poll) => void,
    wall: () => number,
    changed: (pauseMs: number) => void = () => undefined,
  ) {
    this.#changed = changed;
    this.#closing = closing;
    this.#wall = wall;
  }

  /** True if as many questions take answers as may. */
  get full(): boolean {
    this.#look();
    let open = 0;
    for (const { closed } of this.#boxes.values()) if (!closed) open++;
    return open >= MAX_OPEN;
  }

  /** Takes answers to a question from now on, once. @param now stream time in µs. */
  open(stream: StreamName, event: TimedEvent, question: Question, now: number): void {
    if (this.#boxes.has(keyOf(stream, event.id))) return;
    const since = this.#wall();
    const ends = (event.time + event.duration - now) / 1000 + GRACE_MS;
    this.#boxes.set(keyOf(stream, event.id), {
      id: event.id,
      stream,
      question,
      counts: question.choices.map(() => 0),
      since,
      until: since + (event.duration === 0 ? MAX_OPEN_MS : Math.max(GRACE_MS, ends)),
      closed: false,
      voters: new Set(),
      addresses: new Map(),
    });
    this.#timer ??= setInterval(() => this.#look(), 1000).unref();
    this.#changed(0);
  }

  /** What is to outlive the process. */
  save(): readonly object[] {
    return [...this.#boxes.values()].map(({ voters, addresses, ...box }) => ({
      ...box,
      voters: [...voters],
      addresses: [...addresses],
    }));
  }

  /** Takes back what {@link save} gave. @throws DecodeError */
  restore(kept: readonly Field[]): void {
    for (const field of kept.slice(-MAX_OPEN - MAX_CLOSED)) {
      const stream = keptStream(field.at('stream'));
      const asked = field.at('question');
      const question = readQuestion(asked.at('kind').string(16), asked) ?? asked.fail('a question');
      const counts = field.at('counts').list((one) => one.count(), MAX_CHOICES);
      if (counts.length !== question.choices.length) field.at('counts').fail('one of each choice');
      const addresses = field.at('addresses').list((pair): [string, number] => {
        const [address, votes] = pair.list((one) => one, 2);
        return [address?.string(256) ?? pair.fail('an address'), votes?.count() ?? pair.fail('a number')];
      }, MAX_VOTERS);
      const id = field.at('id').string(128);
      this.#boxes.set(keyOf(stream, id), {
        id,
        stream,
        question,
        counts,
        since: field.at('since').number(0),
        until: field.at('until').number(0),
        closed: field.at('closed').boolean(),
        voters: new Set(field.at('voters').list((one) => one.string(64), MAX_VOTERS)),
        addresses: new Map(addresses),
      });
    }
    if (this.#boxes.size > 0) this.#timer ??= setInterval(() => this.#look(), 1000).unref();
  }

  /** Takes an answer. @returns the question with it. @throws PollError */
  vote(stream: StreamName, id: string, choice: number, { token, address }: Voter): Poll {
    const box = this.#boxes.get(keyOf(stream, id));
    if (box === undefined) throw new PollError('POLL_NOT_FOUND', 'there is no such question');
    if (box.closed || this.#wall() >= box.until)
      throw new PollError('POLL_CLOSED', 'the question takes no more answers');
    if (box.counts[choice] === undefined) throw new PollError('POLL_NOT_FOUND', 'there is no such choice');
    const mark = markOf(token);
    if (box.voters.has(mark)) throw new PollError('ALREADY_ANSWERED', 'each viewer has one answer');
    const others = box.addresses.get(address) ?? 0;
    if (others >= MAX_VOTERS_OF_ADDRESS || box.voters.size >= MAX_VOTERS)
      throw new PollError('LIMIT_REACHED', 'too many answers from there');
    box.addresses.set(address, others + 1);
    box.voters.add(mark);
    box.counts[choice]!++;
    this.#changed(VOTE_PAUSE_MS + box.voters.size * PAUSE_PER_VOTER_MS);
    return shown(box, false);
  }

  /** Takes no more answers. @returns the question; undefined if there is none. */
  end(stream: StreamName, id: string): Poll | undefined {
    const box = this.#boxes.get(keyOf(stream, id));
    if (box === undefined) return undefined;
    this.#end(box, this.#wall());
    return shown(box, true);
  }

  /** Questions, newest first. @param all with the right answers to those that still take answers. */
  list(all: boolean, stream?: StreamName): readonly Poll[] {
    this.#look();
    const some = [...this.#boxes.values()].filter((box) => stream === undefined || box.stream === stream);
    return some.reverse().map((box) => shown(box, all));
  }

  /** Forgets everything. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#boxes.clear();
  }

  #look(): void {
    const now = this.#wall();
    const boxes = [...this.#boxes.values()];
    let open = 0;
    for (const box of boxes) {
      if (box.closed) continue;
      if (now < box.until) open++;
      else {
        this.#end(box, box.until);
        this.#closing(shown(box, true));
      }
    }
    for (const { stream, id } of boxes.filter(({ closed }) => closed).slice(0, -MAX_CLOSED))
      this.#boxes.delete(keyOf(stream, id));
    if (open > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #end(box: Box, at: number): void {
    if (box.closed) return;
    box.closed = true;
    box.until = at;
    box.voters.clear();
    box.addresses.clear();
    this.#changed(0);
  }
}

/** What tells a token from others without telling what it is. */
function markOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 16);
}

function keyOf(stream: StreamName, id: string): string {
  return `${stream} ${id}`;
}

function shown({ id, stream, question, counts, since, until, closed }: Box, all: boolean): Poll {
  const { kind, correct, choices } = question;
  return {
    id,
    stream,
    kind,
    question: question.question,
    choices,
    counts: [...counts],
    since,
    until,
    closed,
    ...(correct !== undefined && (all || closed) ? { correct } : {}),
  };
}
