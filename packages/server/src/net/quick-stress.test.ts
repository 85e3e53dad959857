import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../config/index.ts';
import { createLog } from '../observe/index.ts';
import {
  answerPrepared,
  createHttpServer,
  type Exchange,
  HttpProblem,
  type HttpServer,
  PreparedAnswer,
} from './index.ts';

/** `ONAIR_LONG=1` goes on for three minutes. */
const LONG = process.env.ONAIR_LONG === '1';
const RUNS = LONG ? { numRuns: 1_000_000, interruptAfterTimeLimit: 180_000 } : { numRuns: 10 };
/** Whoever has no answer after so long gets none, in ms. */
const PATIENCE_MS = 15_000;

const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });

/** What is asked for: at once, in the publisher's turn, or by the framework; few addresses, so that answers are shared. */
const KINDS = ['now', 'large', 'held', 'held-large', 'problem', 'held-problem', 'framework', 'post'] as const;
type Kind = (typeof KINDS)[number];
const LARGE_BYTES = 700_000;

/** What the address `/KIND/ID` holds. */
function bodyOf(path: string): Buffer {
  return path.includes('large') ? Buffer.alloc(LARGE_BYTES, path) : Buffer.from(`body of ${path}`);
}

let server: HttpServer;
let port = 0;
/** Who waits for the publisher; it comes round with every turn of the loop, and leaves out a few. */
const waiting = new Set<{ readonly exchange: Exchange; turns: number }>();
let publisher: NodeJS.Immediate;

function publish(): void {
  for (const waiter of waiting) {
    if (waiter.turns-- > 0) continue;
    waiting.delete(waiter);
    answer(waiter.exchange);
  }
  publisher = setImmediate(publish);
}

const prepared = new Map<string, PreparedAnswer>();

function answer(exchange: Exchange): void {
  const { url } = exchange;
  if (url.includes('problem')) {
    exchange.send(410, ['content-length', String(bodyOf(url).length)], bodyOf(url));
    return;
  }
  let known = prepared.get(url);
  if (known === undefined) {
    known = new PreparedAnswer(bodyOf(url), `"${url}"`, [], ['content-type', 'video/mp4']);
    prepared.set(url, known);
  }
  answerPrepared(exchange, known);
}

beforeAll(async () => {
  const base = loadConfig({});
  const config: Config = { ...base, host: '127.0.0.1', http: { ...base.http, port: 0 } };
  server = createHttpServer({ config: () => config, logger, pagesFolder: '/nowhere' });
  server.intercept((exchange) => {
    const { url } = exchange;
    if (!/^\/(now|large|held|problem)/.test(url)) return false;
    if (url.startsWith('/problem')) throw new HttpProblem('GONE');
    if (!url.startsWith('/held')) {
      answer(exchange);
      return true;
    }
    const waiter = { exchange, turns: Number(url.at(-1)) };
    waiting.add(waiter);
    exchange.onClose(() => waiting.delete(waiter));
    return true;
  });
  server.fastify.get('/framework/:id', async (request) => bodyOf(request.url));
  server.fastify.post('/post/:id', async (request) => bodyOf(request.url));
  port = await server.listen();
  publish();
});

afterAll(async () => {
  clearImmediate(publisher);
  await server.close(100);
});

interface Ask {
  readonly kind: Kind;
  readonly id: number;
}

const pathOf = ({ kind, id }: Ask): string => `/${kind}/${id}`;

/** A request as bytes. */
function textOf(ask: Ask): string {
  const head = `${pathOf(ask)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n`;
  return ask.kind === 'post'
    ? `POST ${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
    : `GET ${head}\r\n`;
}

const STATUS: Partial<Record<Kind, number>> = { problem: 410, 'held-problem': 410 };

/** How a client behaves. */
interface Script {
  readonly asks: readonly Ask[];
  /** Where its bytes are cut, as shares of all of them. */
  readonly cuts: readonly number[];
  /** Before each piece: nothing, a turn of the loop, or all answers to what was sent whole. */
  readonly pauses: readonly ('none' | 'turn' | 'answers')[];
  /** Requests are sent whole, each when the one before is answered. */
  readonly polite: boolean;
  readonly slow: boolean;
  /** Closes its side behind the last request (RFC 9112 §9.6). */
  readonly ends: boolean;
  /** Goes away after this share of its bytes. */
  readonly leaves: number | undefined;
}

const scripts = fc.array(
  fc.record<Script>({
    asks: fc.array(
      fc.record({
        kind: fc.oneof(
          { weight: 6, arbitrary: fc.constantFrom<Kind>('now', 'held', 'held-problem') },
          { weight: 2, arbitrary: fc.constantFrom<Kind>('large', 'held-large', 'problem') },
          { weight: 1, arbitrary: fc.constantFrom<Kind>('framework', 'post') },
        ),
        id: fc.nat(3),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
    pauses: fc.array(fc.constantFrom('none', 'turn', 'answers'), { minLength: 1, maxLength: 7 }),
    polite: fc.boolean(),
    slow: fc.boolean(),
    ends: fc.boolean(),
    leaves: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined, freq: 6 }),
  }),
  { minLength: 1, maxLength: 24 },
);

interface Heard {
  readonly status: number;
  readonly body: Buffer;
}

/** Takes whole answers off the front of what was heard. */
class Hearing {
  readonly answers: Heard[] = [];
  #pieces: Buffer[] = [];
  #length = 0;
  #wanted = 0;

  take(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    while (this.#length > 0 && this.#length >= this.#wanted) {
      const all = Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = all.toString('latin1', 0, end + 2);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
      if (status === undefined || length === undefined) throw new Error(`no answer: ${head.slice(0, 200)}`);
      this.#wanted = end + 4 + Number(length);
      if (this.#length < this.#wanted) return;
      this.answers.push({ status: Number(status), body: all.subarray(end + 4, this.#wanted) });
      this.#pieces = [all.subarray(this.#wanted)];
      this.#length -= this.#wanted;
      this.#wanted = 0;
    }
  }

  /** Bytes that belong to no whole answer. */
  get rest(): number {
    return this.#length;
  }
}

/** Does as the script says. Resolves with what is wrong, if anything is. */
async function play(script: Script): Promise<string | undefined> {
  const { asks, leaves, slow } = script;
  const hearing = new Hearing();
  let wake = (): void => {};
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let closed = false;
  let fault: string | undefined;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
    wake();
  });
  socket.on('data', (bytes) => {
    try {
      hearing.take(bytes);
    } catch (error) {
      fault = String(error);
    }
    wake();
    if (!slow) return;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  const late = setTimeout(() => {
    fault ??= 'no answer in time';
    wake();
  }, PATIENCE_MS);
  const heard = async (count: number): Promise<void> => {
    while (hearing.answers.length < count && !closed && fault === undefined)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  const bytes = asks.map(textOf).join('');
  const ends = asks.map(
    (_, n) =>
      asks
        .slice(0, n + 1)
        .map(textOf)
        .join('').length,
  );
  const all = leaves === undefined ? bytes.length : Math.floor(leaves * bytes.length);
  const cuts = script.polite ? ends : script.cuts.map((share) => Math.floor(share * bytes.length));
  const places = [...new Set([...cuts, all])].filter((at) => at > 0 && at <= all).sort((a, b) => a - b);
  let at = 0;
  for (const [n, place] of places.entries()) {
    const pause = script.polite ? 'answers' : script.pauses[n % script.pauses.length]!;
    if (pause === 'turn') await new Promise((resolve) => setImmediate(resolve));
    else if (pause === 'answers') await heard(ends.filter((end) => end <= at).length);
    if (fault !== undefined) break;
    socket.write(bytes.slice(at, place), 'latin1');
    at = place;
  }
  if (script.ends) socket.end();
  if (leaves === undefined) await heard(asks.length);
  else await new Promise((resolve) => setImmediate(resolve));
  clearTimeout(late);
  // Nothing more comes than was asked for.
  if (leaves === undefined) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  const { answers } = hearing;
  if (fault !== undefined) return `${fault} after ${answers.length} of ${asks.length}`;
  if (leaves === undefined && answers.length !== asks.length)
    return `${answers.length} of ${asks.length} answers`;
  if (leaves === undefined && hearing.rest > 0) return `${hearing.rest} bytes too many`;
  for (const [n, { status, body }] of answers.entries()) {
    const ask = asks[n];
    if (ask === undefined) return 'an answer too many';
    if (status !== (STATUS[ask.kind] ?? 200)) return `${pathOf(ask)} answered with ${status}`;
    if (ask.kind !== 'problem' && !body.equals(bodyOf(pathOf(ask))))
      return `another answer for ${pathOf(ask)}`;
  }
  return undefined;
}

/** Polls as a player does, over the connections of Node's own client, which are used again and again. */
async function poll(turns: number): Promise<string | undefined> {
  for (let n = 0; n < turns; n++) {
    const path = `/${KINDS[n % 4]}/${n % 4}`;
    const asked = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body = Buffer.from(await asked.arrayBuffer());
    if (asked.status !== 200 || !body.equals(bodyOf(path))) return `fetch of ${path}: ${asked.status}`;
  }
  return undefined;
}

describe('plain requests under stress', () => {
  it('get one answer each, in turn, however they are cut, and whoever else goes away', {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (all) => {
        const faults = await Promise.all([...all.map(play), ...Array.from({ length: 4 }, () => poll(8))]);
        expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
      }),
      { ...RUNS, endOnFailure: !LONG },
    );
    expect(waiting.size).toBe(0);
  });
});
