import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { until } from '../../../../test/kit/until.ts';
import { Mp3Maker } from './mp3-maker.ts';

const folder = mkdtempSync(join(tmpdir(), 'onair-mp3-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program in place of ffmpeg: knows the encoder, and does `work` with its input. */
function program(name: string, work: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *-h*) echo libmp3lame; exit 0;; esac\n${work}\n`, {
    mode: 0o700,
  });
  return path;
}
const never = new Promise<void>(() => {});
const read = async (stream: Readable): Promise<string> => {
  let text = '';
  for await (const part of stream) text += String(part);
  return text;
};

it('says so where there is no program', async () => {
  const mp3 = new Mp3Maker(join(folder, 'nothing'));
  expect(await mp3.available).toBe(false);
  const source = Readable.from(['x']);
  await expect(mp3.make(source, never)).rejects.toMatchObject({ code: 'CODEC_NOT_CARRIED' });
  expect(source.destroyed).toBe(true);
});

it('passes on what the program makes, two at a time', async () => {
  const mp3 = new Mp3Maker(program('cat', 'cat'));
  const waiting = [new Readable({ read: () => {} }), new Readable({ read: () => {} })];
  const made = await Promise.all(waiting.map((one) => mp3.make(one, never)));
  await expect(mp3.make(Readable.from(['x']), never)).rejects.toMatchObject({ code: 'OVERLOADED' });
  for (const one of waiting) one.push('sound');
  for (const one of waiting) one.push(null);
  expect(await Promise.all(made.map(read))).toEqual(['sound', 'sound']);
  expect(await read(await mp3.make(Readable.from(['more']), never))).toBe('more');
});

it('breaks off when the program fails, and ends it when nobody listens', async () => {
  const failing = new Mp3Maker(program('false', 'exit 3'));
  await expect(read(await failing.make(Readable.from(['x']), never))).rejects.toThrow('could not be made');
  const slow = new Mp3Maker(program('slow', 'exec sleep 60'));
  const source = new Readable({ read: () => {} });
  let stop = (): void => {};
  const made = await slow.make(
    source,
    new Promise<void>((resolve) => {
      stop = resolve;
    }),
  );
  made.on('error', () => {});
  stop();
  await until(() => source.destroyed);
});
