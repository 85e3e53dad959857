import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../test/kit/until.ts';
import { type CallableClient, MethodService } from './method-service.ts';
import { MethodError } from './script-thread.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const SCRIPT = `export default defineApp({
  methods: {
    echo: (client, ...args) => [client.transport, ...args],
    throws() { throw new Error('on purpose'); },
    cycle() { const a = {}; a.a = a; return a; },
    never: () => new Promise(() => {}),
    hangs() { for (;;); },
    environment: () => Object.keys(process.env),
    ask: async (client) => client.call('ask', 1),
    tell() { onair.broadcast('told', 2); onair.event('show', { name: 'cm' }); onair.event('../x', {}); },
  },
  onConnect: (client) => client.address !== 'bad',
  onPublish() { throw new Error('not now'); },
  onLeave(client) { console.log('left', client.id); },
});`;

async function open() {
  const folder = mkdtempSync(join(tmpdir(), 'onair-methods-'));
  writeFileSync(join(folder, 'live.mjs'), SCRIPT);
  writeFileSync(join(folder, 'broken.mjs'), 'export default {');
  writeFileSync(join(folder, 'no script.mjs'), '');
  const lines: string[] = [];
  const fired: unknown[] = [];
  const methods = new MethodService({
    folder,
    callMs: () => 300,
    objects: { read: () => undefined, write: () => false, send: () => undefined },
    fire: (stream, request) => fired.push([stream, request.value]),
    log: (_level, message) => lines.push(message),
  });
  closers.push(() => {
    methods.close();
    rmSync(folder, { recursive: true });
  });
  await methods.open();
  return { folder, methods, lines, fired };
}

const client = (more: Partial<CallableClient> = {}): CallableClient => ({
  id: 'c',
  app: 'live',
  address: 'a',
  transport: 'test',
  ask: async (_method, args) => args,
  ...more,
});
const codeOf = async (call: Promise<unknown>): Promise<string> => {
  const error: unknown = await call.then(
    () => 'answered',
    (reason: unknown) => reason,
  );
  return error instanceof MethodError ? `${error.code} ${error.message}` : String(error);
};

it('answers calls, and tells what came to nothing', async () => {
  const { methods, lines } = await open();
  expect(await methods.call(client(), 'echo', ['あ', { deep: [1] }])).toEqual(['test', 'あ', { deep: [1] }]);
  expect(await methods.call(client(), 'environment', [])).toEqual([]);
  expect(await codeOf(methods.call(client(), 'throws', []))).toBe('METHOD_FAILED on purpose');
  expect(await codeOf(methods.call(client(), 'cycle', []))).toMatch(/^METHOD_FAILED /);
  expect(await codeOf(methods.call(client(), '__proto__', []))).toMatch(/^METHOD_NOT_FOUND /);
  expect(await codeOf(methods.call(client(), 'constructor', []))).toMatch(/^METHOD_NOT_FOUND /);
  expect(await codeOf(methods.call(client({ app: 'broken' }), 'echo', []))).toMatch(/^METHOD_NOT_FOUND /);
  expect(await codeOf(methods.call(client(), 'never', []))).toBe('METHOD_TIMEOUT no answer within 300 ms');
  expect(lines).toContain('application script not loaded');
  const many = Array.from({ length: 300 }, () => codeOf(methods.call(client(), 'never', [])));
  expect((await Promise.all(many)).filter((code) => code.startsWith('METHOD_BUSY'))).toHaveLength(44);
});

it('ends a script that hangs and begins it anew', async () => {
  const { methods, lines } = await open();
  const hung = methods.call(client(), 'hangs', []);
  expect(await codeOf(hung)).toMatch(/^METHOD_TIMEOUT/);
  await until(() => lines.includes('application script ended'), { timeoutMs: 10_000 });
  await until(() => methods.serves('live'), { timeoutMs: 10_000 });
  expect(await methods.call(client(), 'echo', [])).toEqual(['test']);
});

it('asks hooks, lets scripts call clients and fire events', async () => {
  const { methods, lines, fired } = await open();
  expect(await methods.refuses('onConnect', client())).toBeUndefined();
  expect(await methods.refuses('onConnect', client({ address: 'bad' }))).toBe('refused by the application');
  expect(await methods.refuses('onPublish', client(), { stream: 's' })).toBe('not now');
  expect(await methods.refuses('onPlay', client())).toBeUndefined();
  expect(await codeOf(methods.call(client(), 'ask', []))).toMatch(/METHOD_FAILED the client has gone/);
  const told: unknown[] = [];
  const leave = methods.join(
    client({
      ask: async (...call) => {
        told.push(call);
        return 'because';
      },
    }),
  );
  expect(await methods.call(client(), 'ask', [])).toBe('because');
  await methods.call(client(), 'tell', []);
  await until(
    () =>
      fired.length === 1 && told.length === 2 && lines.includes('an event of the application was refused'),
  );
  expect(told).toEqual([
    ['ask', [1], true],
    ['told', [2], false],
  ]);
  expect(fired).toEqual([['live/show', { name: 'cm' }]]);
  leave();
  leave();
  await until(() => lines.includes('left c'));
});

it('replaces a script by one that can be loaded, and takes one away', async () => {
  const { folder, methods, lines } = await open();
  writeFileSync(join(folder, 'live.mjs'), 'export default { methods: { echo: () => "new" } };');
  await until(async () => (await methods.call(client(), 'echo', [])) === 'new', { timeoutMs: 10_000 });
  const faults = lines.filter((line) => line.endsWith('not loaded')).length;
  writeFileSync(join(folder, 'live.mjs'), 'throw new Error("no")');
  await until(() => lines.filter((line) => line.endsWith('not loaded')).length > faults, {
    timeoutMs: 10_000,
  });
  expect(await methods.call(client(), 'echo', [])).toBe('new');
  rmSync(join(folder, 'live.mjs'));
  await until(() => !methods.serves('live'), { timeoutMs: 10_000 });
});

it('takes TypeScript whose types can be erased, with what it imports, and tells what cannot', async () => {
  const { folder, methods, lines } = await open();
  writeFileSync(join(folder, 'twice.mts'), 'export const twice = (n: number): number => 2 * n;');
  const text = `import { twice } from './twice.mts';
    type Given = { readonly n: number };
    export default { methods: { twice: (_: unknown, { n }: Given): number => twice(n) as number } };`;
  writeFileSync(join(folder, 'typed.ts'), text);
  writeFileSync(join(folder, 'other.d.ts'), 'declare const x: number;');
  writeFileSync(join(folder, 'enum.ts'), 'enum A { B }\nexport default { methods: { a: () => A.B } };');
  await until(() => methods.serves('typed'), { timeoutMs: 15_000 });
  expect(await methods.call(client({ app: 'typed' }), 'twice', [{ n: 21 }])).toBe(42);
  // The broken script, the library, which is no application, and the enum.
  await until(() => lines.filter((line) => line === 'application script not loaded').length === 3, {
    timeoutMs: 15_000,
  });
  expect([methods.serves('enum'), methods.serves('other.d')]).toEqual([false, false]);
});
