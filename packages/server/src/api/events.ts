import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { goneAtEnd, refusedForNow } from '../net/index.ts';
import { type ApiDeps, publicStreams } from './ports.ts';

/** Shortest and longest time between two lists, milliseconds. */
const MIN_INTERVAL_MS = 250;
const MAX_INTERVAL_MS = 2000;
/** How often a line is sent although nothing changed, so that both ends notice a dead connection, milliseconds. */
const HEARTBEAT_MS = 15_000;
/** A reader with more bytes waiting is cut; it comes back by itself. */
const MAX_BACKLOG_BYTES = 262_144;

/**
 * The list of streams as server-sent events (HTML §9.2): whole lists, sent on a change and while figures move.
 * One text is made for all readers.
 */
export class StreamEvents {
  readonly #deps: ApiDeps;
  readonly #readers = new Set<ServerResponse>();
  #unlisten: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #sentAt = 0;
  #sent = '';

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  /** Readers now. */
  get size(): number {
    return this.#readers.size;
  }

  /** Takes over a reply and feeds it until the reader goes. @throws HttpProblem `OVERLOADED`. */
  add(reply: FastifyReply): void {
    if (this.#readers.size >= this.#deps.config().http.maxEventStreams || this.#deps.stopping()) {
      throw refusedForNow('OVERLOADED', 10, 'too many readers of events');
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    raw.socket?.setTimeout(0);
    raw.on('error', () => raw.destroy());
    raw.once('close', () => this.#gone(raw));
    goneAtEnd(reply.request.raw, raw);
    this.#readers.add(raw);
    if (this.#readers.size === 1) this.#start();
    raw.write(`retry: 2000\n\n${this.#text()}`);
  }

  #start(): void {
    this.#unlisten = this.#deps.streams.onChange(() => this.#changed());
    this.#heartbeat = setInterval(() => this.#write(': alive\n\n'), HEARTBEAT_MS).unref();
    this.#schedule(MAX_INTERVAL_MS);
  }

  #gone(reader: ServerResponse): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#unlisten?.();
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#sent = '';
  }

  #changed(): void {
    this.#schedule(Math.max(0, MIN_INTERVAL_MS - (performance.now() - this.#sentAt)));
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), ms).unref();
  }

  #tick(): void {
    const text = this.#text();
    if (text !== this.#sent) this.#write(text);
    this.#sent = text;
    this.#sentAt = performance.now();
    this.#schedule(MAX_INTERVAL_MS);
  }

  #text(): string {
    const streams = publicStreams(this.#deps);
    return `event: streams\ndata: ${JSON.stringify({ streams })}\n\n`;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (const reader of this.#readers) {
      if (reader.writableLength > MAX_BACKLOG_BYTES) reader.destroy();
      else reader.write(bytes);
    }
  }

  /** Ends every reader. */
  close(): void {
    for (const reader of [...this.#readers]) reader.end();
  }
}
