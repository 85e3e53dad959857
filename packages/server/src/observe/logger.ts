import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  destination,
  type Logger,
  pino,
} from 'pino';
import { prettyLine } from './pretty.ts';
import { escapeControls, redactFields, redactUrl, shorten } from './redact.ts';

export type { Logger } from 'pino';

/** How the log is written. */
export interface LogOptions {
  readonly level: string;
  /** `auto` is `pretty` in a terminal. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Where finished lines go; standard output if left out. */
  readonly write?: (line: string) => void;
  /** True to hold lines back until `release`, so that another line can be the first. */
  readonly hold?: boolean;
}

/** The logger of a process with what only its owner may do. */
export interface Log {
  readonly logger: Logger;
  /** The format in use. */
  readonly format: 'json' | 'pretty';
  /** Changes the level of the logger and of all its children. */
  setLevel(level: string): void;
  /** Writes the lines that were held back, and from now on every line at once. */
  release(): void;
  /** As {@link release}, with a record of level info in front of the lines that were held back. */
  first(record: Readonly<Record<string, unknown>>, text: string): void;
  /** Writes out what is still buffered. Call before the process ends. */
  flush(): void;
}

/** Most lines that are held back. */
const MAX_HELD_LINES = 1000;

/**
 * Makes the logger: one JSON object per line or one line for a person per record. Secrets are blanked, control
 * characters escaped, long strings cut, whatever the caller passes.
 */
export function createLog(options: LogOptions): Log {
  const terminal = options.write === undefined && process.stdout.isTTY === true;
  const format = options.format === 'auto' ? (terminal ? 'pretty' : 'json') : options.format;
  const sink = options.write === undefined ? destination({ fd: 1, sync: false }) : undefined;
  // The reader of the log may go at any time; the streams go on.
  sink?.on('error', () => {});
  const writeNow = options.write ?? ((line: string): void => void sink!.write(line));
  let held: string[] | undefined = options.hold === true ? [] : undefined;
  const write = (line: string): void => {
    if (held === undefined) writeNow(line);
    else if (held.length < MAX_HELD_LINES) held.push(line);
  };
  const release = (): void => {
    const lines = held ?? [];
    held = undefined;
    for (const line of lines) writeNow(line);
  };
  const colour = terminal && process.env.NO_COLOR === undefined;
  const stream: DestinationStream = {
    write: format === 'json' ? write : (line) => write(prettyLine(line, colour)),
  };
  const children = new ChildList();
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (record) => redactFields(record),
      },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg) => (typeof arg === 'string' ? shorten(arg) : arg)) as typeof args,
          );
        },
        // The final text is the one place that every secret and control character must pass.
        streamWrite: (line) => `${escapeControls(redactUrl(line.trimEnd()))}\n`,
      },
      onChild: (child) => children.add(child),
    },
    stream,
  );
  const child = logger.child as unknown as MakeChild;
  const redactingChild: MakeChild = function (bindings, options) {
    return child.call(this, redactFields(bindings), options);
  };
  logger.child = redactingChild as unknown as typeof logger.child;
  return {
    logger,
    format,
    setLevel(level) {
      logger.level = level;
      for (const child of children.living()) child.level = level;
    },
    release,
    first(record, text) {
      const lines = held ?? [];
      held = undefined;
      // The least severity is for what happens, not for where the server listens.
      const level = options.level === 'silent' ? 'silent' : 'info';
      logger.child({}, { level }).info(record, text);
      held = lines;
      release();
    },
    flush() {
      try {
        sink?.flushSync();
      } catch {
        // The reader of the log is gone; nothing is left to tell it.
      }
    },
  };
}

type MakeChild = (this: unknown, bindings: Bindings, options?: ChildLoggerOptions) => unknown;

/** Loggers made from the root, held weakly: most belong to sessions and end with them. */
class ChildList {
  #refs: WeakRef<Logger>[] = [];
  #sweepAt = 1024;

  add(child: Logger): void {
    this.#refs.push(new WeakRef(child));
    if (this.#refs.length < this.#sweepAt) return;
    this.#refs = this.#refs.filter((ref) => ref.deref() !== undefined);
    this.#sweepAt = Math.max(1024, this.#refs.length * 2);
  }

  living(): Logger[] {
    return this.#refs.map((ref) => ref.deref()).filter((child) => child !== undefined);
  }
}
