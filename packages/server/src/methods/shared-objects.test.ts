import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SharedObjectEvent, SharedObjectMessage } from '@onair/media/rtmp';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  MAX_NAME_BYTES,
  MAX_OBJECTS,
  MAX_PROPERTIES,
  MAX_USED,
  SharedObjects,
  type SharedObjectUser,
} from './shared-objects.ts';

/** Waits as a busy machine needs it. */
const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, 15_000);

let folder = '';
let faults: unknown[] = [];
const open = (): SharedObjects =>
  new SharedObjects({ folder, serves: (app) => app !== 'none', fault: (error) => faults.push(error) });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-objects-'));
  faults = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(faults).toEqual([]);
});

class Client implements SharedObjectUser {
  readonly app: string;
  readonly heard: Omit<SharedObjectMessage, 'kind'>[] = [];
  readonly #objects: SharedObjects;

  constructor(objects: SharedObjects, app = 'live') {
    this.#objects = objects;
    this.app = app;
  }

  send(message: Omit<SharedObjectMessage, 'kind'>): void {
    this.heard.push(message);
  }

  say(name: string, persistent: boolean, ...events: SharedObjectEvent[]): SharedObjectEvent[] {
    this.heard.length = 0;
    const message = { kind: 'sharedObject', name, persistent, version: 0, encoding: 0, events } as const;
    this.#objects.take(this, message);
    return this.events();
  }

  events(): SharedObjectEvent[] {
    return this.heard.splice(0).flatMap(({ events }) => events);
  }
}

const use: SharedObjectEvent = { kind: 'use' };
const set = (name: string, value: string | number): SharedObjectEvent => ({
  kind: 'requestChange',
  values: [[name, value]],
});
const status = (code: string): SharedObjectEvent => ({
  kind: 'status',
  code: `SharedObject.${code}`,
  level: 'error',
});

it('tells each change to everybody else, and success to who wanted it', () => {
  const objects = open();
  const [a, b] = [new Client(objects), new Client(objects)];
  expect(a.say('chat', false, use)).toEqual([{ kind: 'useSuccess' }, { kind: 'clear' }]);
  expect(a.say('chat', false, set('x', 1))).toEqual([{ kind: 'success', names: ['x'] }]);
  expect(b.say('chat', false, use)).toEqual([
    { kind: 'useSuccess' },
    { kind: 'clear' },
    { kind: 'change', values: [['x', 1]] },
  ]);
  b.say('chat', false, set('x', 2));
  expect(a.heard.map(({ version }) => version)).toEqual([2]);
  expect(a.events()).toEqual([{ kind: 'change', values: [['x', 2]] }]);
  a.say('chat', false, { kind: 'sendMessage', method: 'say', args: ['hi'] });
  expect(b.events()).toEqual([{ kind: 'sendMessage', method: 'say', args: ['hi'] }]);
  b.say('chat', false, { kind: 'requestRemove', names: ['x', 'y'] });
  expect(a.events()).toEqual([{ kind: 'remove', names: ['x'] }]);
  // Scripts do the same.
  expect(objects.write('live', 'chat', false, 'z', 3)).toBe(true);
  expect(objects.read('live', 'chat', false)).toEqual({ z: 3 });
  objects.send('live', 'chat', 'say', ['all']);
  expect(a.events()).toEqual([
    { kind: 'change', values: [['z', 3]] },
    { kind: 'sendMessage', method: 'say', args: ['all'] },
  ]);
  // With its last user it is gone.
  a.say('chat', false, { kind: 'release' });
  objects.left(b);
  expect(a.say('chat', false, use)).toEqual([{ kind: 'useSuccess' }, { kind: 'clear' }]);
  objects.close();
  expect(readdirSync(folder)).toEqual([]);
});

it('keeps applications apart, and answers in the encoding that it was asked in', () => {
  const objects = open();
  const [a, b] = [new Client(objects), new Client(objects, 'other')];
  a.say('chat', false, use, set('x', 1));
  expect(b.say('chat', false, use)).toEqual([{ kind: 'useSuccess' }, { kind: 'clear' }]);
  objects.take(b, {
    kind: 'sharedObject',
    name: 'chat',
    persistent: false,
    version: 0,
    encoding: 3,
    events: [use],
  });
  expect(b.heard.at(-1)?.encoding).toBe(3);
  objects.close();
});

it('keeps persistent ones on the disk, with their versions', async () => {
  const objects = open();
  const a = new Client(objects);
  a.say('../a/ö', true, use, set('x', 'é'), set('y', 2), { kind: 'requestRemove', names: ['y'] });
  await waitFor(() => expect(readdirSync(join(folder, 'live'))).toHaveLength(1));
  a.say('../a/ö', true, set('z', 1));
  objects.close();
  objects.close();
  const later = open();
  const b = new Client(later);
  b.say('../a/ö', true, use);
  // `say` empties what was heard before: ask again for the version.
  later.take(b, {
    kind: 'sharedObject',
    name: '../a/ö',
    persistent: true,
    version: 0,
    encoding: 0,
    events: [use],
  });
  expect(b.heard.at(-1)).toMatchObject({ version: 4, persistent: true });
  expect(b.events().at(-1)).toEqual({
    kind: 'change',
    values: [
      ['x', 'é'],
      ['z', 1],
    ],
  });
  later.close();
});

it('tells of a file that is broken, and goes on', () => {
  const objects = open();
  objects.write('live', 'x', true, 'a', 1);
  objects.close();
  const [file] = readdirSync(join(folder, 'live'));
  writeFileSync(join(folder, 'live', file!), 'broken');
  const again = open();
  expect(new Client(again).say('x', true, use)).toEqual([status('ObjectCreationFailed')]);
  expect(faults.splice(0)).toHaveLength(1);
  again.close();
});

it('refuses what is beyond its limits or not allowed', () => {
  const objects = open();
  const a = new Client(objects);
  expect(new Client(objects, 'none').say('x', false, use)).toEqual([status('NoReadAccess')]);
  expect(a.say('x', false, set('a', 1))).toEqual([status('NoReadAccess')]);
  a.say('x', false, use);
  expect(new Client(objects).say('x', true, use)).toEqual([status('BadPersistence')]);
  expect(a.say('x', false, set('big', 'x'.repeat(300_000)))).toEqual([status('NoWriteAccess')]);
  const many = Array.from({ length: MAX_PROPERTIES + 1 }, (_, i) => [`p${i}`, i] as const);
  expect(a.say('x', false, { kind: 'requestChange', values: many })).toEqual([status('NoWriteAccess')]);
  expect(objects.write('live', 'x', false, 'k'.repeat(300), 1)).toBe(false);
  expect(objects.read('live', 'x', false)).toEqual({});
  expect(a.say('', false, use)).toEqual([status('ObjectCreationFailed')]);
  expect(a.say('x'.repeat(MAX_NAME_BYTES + 1), true, use)).toEqual([status('ObjectCreationFailed')]);
  for (let i = 1; i < MAX_USED; i++) a.say(`o${i}`, false, use);
  expect(a.say('more', false, use)).toEqual([status('ObjectCreationFailed')]);
  for (let i = MAX_USED; i < MAX_OBJECTS; i++) objects.write('live', `o${i}`, false, 'a', 1);
  expect(new Client(objects).say('more', false, use)).toEqual([status('ObjectCreationFailed')]);
  objects.close();
});
