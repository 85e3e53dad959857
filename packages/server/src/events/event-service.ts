import { randomUUID } from 'node:crypto';
import { type AuditRecord, type Cue, Field, type Poll, type ScheduledEvent } from '@onair/contracts';
import type { StreamName, TimedEvent } from '@onair/media';
import { HubError, type Stream, type StreamRegistry } from '../hub/index.ts';
import { AuditLog } from './audit-log.ts';
import { CueFile } from './cue-file.ts';
import { type EventMoment, type EventRequest, readEventRequest } from './event-request.ts';
import { EventSchedule, type HeldEvent } from './event-schedule.ts';
import { OperatorFile } from './operator-file.ts';
import { Polls, type Question, readQuestion, type Voter } from './polls.ts';

/** Who asks for an event. */
export interface EventAuthor {
  /** `operator`, or what stands for a stream key. */
  readonly by: string;
  /** Remote address without port. */
  readonly address: string;
}

/** What the service stands on. */
export interface EventServiceDeps {
  readonly registry: StreamRegistry;
  /** Folder of the log and the cue buttons; without one they last as long as the process. */
  readonly folder?: string;
  /** Stream time in µs of a wall-clock time (ms since the Unix epoch), and back. */
  timeAt(stream: Stream, wallMs: number): number;
  /** One line about each event. */
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** ms since the Unix epoch. */
  wall(): number;
}

/** How long the answers to a question are shown, µs. */
const RESULT_US = 10_000_000;
/** Most of each kind that are read from the disk. */
const MAX_KEPT = 10_000;
/** The server itself, where a question ends by itself. */
const SERVER: EventAuthor = { by: 'server', address: 'local' };

/** Takes what people and programs want to tell the viewers of a stream, and remembers who told what. */
export class EventService {
  readonly #deps: EventServiceDeps;
  readonly #audit: AuditLog;
  readonly #cues: CueFile;
  readonly #schedule: EventSchedule;
  readonly #polls: Polls;
  readonly #file: OperatorFile;

  /** @throws Error if the folder cannot be used or what is in it is damaged. */
  constructor(deps: EventServiceDeps) {
    this.#deps = deps;
    this.#audit = new AuditLog({
      ...(deps.folder === undefined ? {} : { folder: deps.folder }),
      failed: (error) => deps.log('the log of events cannot be written', { reason: String(error) }),
    });
    this.#cues = new CueFile(deps.folder);
    this.#file = new OperatorFile({
      folder: deps.folder,
      state: () => ({ schedule: this.#schedule.save(), polls: this.#polls.save() }),
      failed: (error) => deps.log('the schedule cannot be kept', { reason: String(error) }),
    });
    const changed = (pauseMs: number): void => this.#file.touch(pauseMs);
    this.#polls = new Polls((poll) => this.#tellResult(poll, SERVER), deps.wall, changed);
    this.#schedule = new EventSchedule({
      wall: deps.wall,
      now: (name) => {
        const stream = deps.registry.find(name);
        return stream?.state === 'live' || stream?.state === 'waiting' ? stream.now : undefined;
      },
      ready: (name) => deps.registry.find(name)?.state === 'live',
      due: (held) => this.#due(held),
      changed: () => changed(0),
    });
    this.#file.read((kept) => {
      this.#polls.restore(kept.at('polls').list((one) => one, MAX_KEPT));
      this.#schedule.restore(kept.at('schedule').list((one) => one, MAX_KEPT));
    });
  }

  /** What was done, newest first. */
  get records(): readonly AuditRecord[] {
    return this.#audit.records;
  }

  /** Events that wait for their time, the next first. */
  get scheduled(): readonly ScheduledEvent[] {
    return this.#schedule.list();
  }

  /** Buttons of the operator's console. */
  get cues(): readonly Cue[] {
    return this.#cues.cues;
  }

  /** Replaces the buttons. Rejects if the disk takes nothing. */
  setCues(cues: readonly Cue[]): Promise<void> {
    return this.#cues.set(cues);
  }

  /** Events of a stream that are to come or going on; undefined if there is no such stream. */
  standing(name: StreamName): readonly TimedEvent[] | undefined {
    const stream = this.#deps.registry.find(name);
    return stream?.events.standing(stream.now);
  }

  /**
   * Puts the event of a request (see `docs/protocols/events.md`) into a stream, or keeps it until shortly before its time.
   * @throws DecodeError for a request that is none; HubError `EVENT_OFF_AIR`, `EVENT_RATE`, `EVENT_LIMIT`, `EVENT_TIME`.
   */
  fire(name: StreamName, request: Field, author: EventAuthor): TimedEvent {
    const { id = randomUUID(), ...rest } = readEventRequest(request);
    const wanted = { ...rest, id };
    readQuestion(wanted.name, new Field(wanted.data, 'data'));
    const place = this.#farPlace(name, wanted.at);
    if (place === undefined || !this.#schedule.isFar(name, place)) {
      const event = this.#put(name, wanted, author);
      this.#note('fire', name, event, author);
      return event;
    }
    this.#schedule.hold({ stream: name, request: wanted, ...author, at: place });
    const held = this.scheduled.find((one) => one.stream === name && one.event.id === id)!.event;
    this.#note('schedule', name, held, author);
    return held;
  }

  /** Takes an event back that waits for its time; false if none of this id does. */
  cancel(name: StreamName, id: string, author: EventAuthor): boolean {
    const held = this.#schedule.cancel(name, id);
    if (held === undefined) return false;
    this.#note('cancel', name, eventOfHeld(held), author);
    return true;
  }

  /** Questions, newest first. @param all for operators: with the right answers to those that still take answers. */
  polls(all: boolean, stream?: StreamName): readonly Poll[] {
    return this.#polls.list(all, stream);
  }

  /** Takes a viewer's answer. @param choice index of the choice. @throws PollError */
  vote(name: StreamName, id: string, choice: number, voter: Voter): Poll {
    return this.#polls.vote(name, id, choice, voter);
  }

  /** Ends a question and shows the answers to the viewers; undefined if there is no such question. */
  endPoll(name: StreamName, id: string, author: EventAuthor): Poll | undefined {
    const open = this.#polls.list(true, name).find((poll) => poll.id === id);
    if (open === undefined || open.closed) return open;
    const poll = this.#polls.end(name, id);
    if (poll !== undefined) this.#tellResult(poll, author);
    return poll;
  }

  /** Resolves when everything is on the disk. */
  async close(): Promise<void> {
    await this.#file.close();
    this.#schedule.close();
    this.#polls.close();
    await this.#audit.close();
  }

  /** Where an event is to be that may wait; undefined for one that is for now. */
  #farPlace(name: StreamName, at: EventMoment): HeldEvent['at'] | undefined {
    switch (at.kind) {
      case 'now':
        return undefined;
      case 'media':
        return { media: at.time };
      case 'after': {
        const stream = this.#deps.registry.find(name);
        return stream === undefined ? undefined : { media: stream.now + at.delay };
      }
      case 'wall':
        return { wallMs: at.wallMs };
    }
  }

  #put(name: StreamName, request: EventRequest & { readonly id: string }, { by, address }: EventAuthor) {
    const { at, ...draft } = request;
    const question = readQuestion(draft.name, new Field(draft.data, 'data'));
    if (question !== undefined && this.#polls.full)
      throw new HubError('EVENT_LIMIT', 'too many questions take answers already');
    const stream = this.#deps.registry.open(name);
    const detach = stream.attach();
    try {
      const data = question === undefined ? draft.data : asked(draft.data, question);
      const event = stream.announce({ ...draft, data, ...this.#placeOf(stream, at) }, `${by} ${address}`);
      if (question !== undefined) this.#polls.open(name, event, question, stream.now);
      return event;
    } finally {
      detach();
    }
  }

  #placeOf(stream: Stream, at: EventMoment): { readonly time?: number } {
    switch (at.kind) {
      case 'now':
        return {};
      case 'media':
        return { time: at.time };
      case 'after':
        return { time: stream.now + at.delay };
      case 'wall':
        return { time: Math.max(0, this.#deps.timeAt(stream, at.wallMs)) };
    }
  }

  /** An event whose time is near goes out. */
  #due(held: HeldEvent): void {
    const { stream, at, by, address } = held;
    const moment: EventMoment = 'media' in at ? { kind: 'media', time: at.media } : { kind: 'wall', ...at };
    try {
      const event = this.#put(stream, { ...held.request, at: moment }, held);
      this.#note('fire', stream, event, { by, address });
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.#note('fail', stream, eventOfHeld(held), { by, address }, error.message);
    }
  }

  #tellResult(poll: Poll, author: EventAuthor): void {
    const { id, stream, kind, question, choices, counts, correct } = poll;
    const name = stream as StreamName;
    const data = { poll: id, kind, question, choices, counts, ...(correct === undefined ? {} : { correct }) };
    const request = { id: randomUUID(), name: 'poll-result', duration: RESULT_US, data };
    const shown = { ...request, time: 0 };
    try {
      const event = this.#put(name, { ...request, at: { kind: 'now' } }, author);
      this.#note('close', name, event, author);
    } catch (error) {
      // Off air, or too much at one time: the counts stand in the list of questions all the same.
      if (!(error instanceof HubError)) throw error;
      this.#note('close', name, shown, author, error.message);
    }
  }

  #note(
    action: AuditRecord['action'],
    stream: StreamName,
    { id, name, time, duration, data }: Omit<TimedEvent, 'raw' | 'splice'>,
    { by, address }: EventAuthor,
    detail?: string,
  ): void {
    const record: AuditRecord = {
      action,
      stream,
      event: { id, name, time, duration, data },
      by,
      address,
      at: this.#deps.wall(),
      ...(detail === undefined ? {} : { detail }),
    };
    this.#audit.add(record);
    this.#deps.log(`event: ${action}`, { stream, by, address, event: id, name, time, detail });
  }
}

/** The data of a question as viewers get it: without the right answer. */
function asked(data: unknown, { question, choices }: Question): object {
  const { correct: _, ...rest } = new Field(data).object();
  return { ...rest, question, choices };
}

function eventOfHeld({ request, at }: HeldEvent): Omit<TimedEvent, 'raw' | 'splice'> {
  const { id, name, duration, data } = request;
  return { id, name, time: 'media' in at ? at.media : 0, duration, data };
}
