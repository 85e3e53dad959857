import { parentPort } from 'node:worker_threads';
import { AudioLine } from './audio-line.ts';
import { aacDecoder, opusDecoder } from './decoders.ts';
import { aacEncoder, opusEncoder } from './encoders.ts';
import type { FromWorker, ToWorker } from './protocol.ts';

/** The thread in which sound is decoded and encoded, for every stream of the process. */
const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const tell = (message: FromWorker): void => port.postMessage(message);
/** Work of each line in order. */
const lines = new Map<number, Promise<AudioLine | undefined>>();

port.on('message', (message: ToWorker) => {
  const { id } = message;
  const before = lines.get(id);
  switch (message.kind) {
    case 'open':
      lines.set(
        id,
        open(message).catch((error: unknown) => fail(id, error)),
      );
      break;
    case 'packet':
      if (before !== undefined)
        lines.set(
          id,
          before.then((line) => work(line, message)),
        );
      break;
    case 'close':
      lines.delete(id);
      void before?.then((line) => line?.close());
  }
});

async function open(message: Extract<ToWorker, { kind: 'open' }>): Promise<AudioLine> {
  const { description, sampleRate, channels } = message;
  return message.to === 'aac'
    ? new AudioLine(await opusDecoder(), await aacEncoder())
    : new AudioLine(aacDecoder(description, sampleRate, channels), await opusEncoder());
}

async function work(
  line: AudioLine | undefined,
  { id, time, data }: Extract<ToWorker, { kind: 'packet' }>,
): Promise<AudioLine | undefined> {
  try {
    for (const packet of (await line?.push(time, data)) ?? []) tell({ kind: 'packet', id, ...packet });
    tell({ kind: 'done', id });
    return line;
  } catch (error) {
    line?.close();
    return fail(id, error);
  }
}

function fail(id: number, error: unknown): undefined {
  tell({ kind: 'failed', id, reason: error instanceof Error ? error.message : String(error) });
  return undefined;
}
