import { inspect, isDamaged, nodeLine, type Report, reportText } from '@onair/media/inspect';
import { redactUrl } from '../observe/index.ts';
import { openInput } from './input.ts';

/** How a file is inspected. */
export interface InspectOptions {
  /** A path, an address of HTTP, or `-` for standard input. */
  readonly input: string;
  /** One JSON object instead of text. */
  readonly json: boolean;
  /** Every box, element, tag or packet, too. */
  readonly boxes: boolean;
  /** Seconds between reports while a stream goes on; only one at the end if undefined. */
  readonly watch: number | undefined;
  /** Where finished text goes; resolves when it can take more. */
  readonly write: (text: string) => Promise<void>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Characters of lines that are written together. */
const WRITE_LENGTH = 64 * 1024;

/**
 * Looks into a file or stream and says what is inside.
 * @returns false if it is damaged. @throws if it cannot be read.
 */
export async function inspectInput(options: InspectOptions): Promise<boolean> {
  const { input, json, boxes, watch, write, signal } = options;
  const name = input === '-' ? 'standard input' : redactUrl(input);
  const tell = (report: Report): string =>
    json ? `${JSON.stringify({ file: name, ...report })}\n` : reportText(name, report);
  const source = await openInput(input, signal);
  let lines = '';
  let writing = Promise.resolve();
  const flush = (): void => {
    const text = lines;
    lines = '';
    if (text !== '') writing = writing.then(() => write(text));
  };
  try {
    let told = performance.now();
    const report = await inspect(
      {
        size: source.size,
        read: async (at, length) => {
          flush();
          await writing;
          return source.read(at, length);
        },
      },
      {
        ...(boxes
          ? {
              onNode: (node) => {
                lines += json ? `${JSON.stringify(node)}\n` : `${nodeLine(node)}\n`;
                if (lines.length > WRITE_LENGTH) flush();
              },
            }
          : {}),
        onProgress: (_bytes, soFar) => {
          if (watch === undefined || performance.now() - told < watch * 1000) return;
          told = performance.now();
          lines += `${tell(soFar())}\n`;
        },
      },
    );
    lines += `${boxes && !json ? '\n' : ''}${tell(report)}`;
    flush();
    await writing;
    return !isDamaged(report);
  } finally {
    await source.close();
  }
}
