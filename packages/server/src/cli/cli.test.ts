import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KEY_FILE } from '../auth/index.ts';
import { loadConfig } from '../config/index.ts';
import { buildProgram } from './program.ts';
import { configSources, parseAssignment } from './settings.ts';
import { serverUrls, startScreen } from './start-screen.ts';

let folder: string;
const out: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-cli-'));
  out.length = 0;
  errors.length = 0;
  vi.stubEnv('ONAIR_DATA', folder);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
});

async function onair(...args: string[]): Promise<string> {
  out.length = 0;
  const program = buildProgram();
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command.exitOverride();
  }
  await program.parseAsync(['node', 'onair', ...args]).catch((error: Error) => errors.push(error.message));
  return out.join('');
}

describe('onair key', () => {
  it('makes, lists and removes keys in the data folder', async () => {
    const made = await onair('key', 'create', 'live/test', '--label', 'camera');
    const key = /^key: +([\w-]{32})$/m.exec(made)?.[1];
    const id = /^id: +(\w+)$/m.exec(made)?.[1] ?? '';
    expect(made).toContain(`publish: rtmp://HOST/live/test?key=${key}`);
    expect(readFileSync(join(folder, KEY_FILE), 'utf8')).not.toContain(key);
    expect(await onair('key', 'list')).toMatch(new RegExp(`^${id}  live/test .* camera\n$`));
    expect(await onair('key', 'remove', id)).toBe(`removed ${id}\n`);
    expect(await onair('key', 'list')).toBe('');
    await onair('key', 'remove', id);
    expect(errors.join('')).toContain('there is no key with the id');
    expect(process.exitCode).toBe(1);
  });

  it('refuses what is no name', async () => {
    await onair('key', 'create', '../x');
    expect(errors.join('')).toContain('wanted: APP or APP/NAME');
  });
});

describe('onair config', () => {
  it('checks a file and names each fault', async () => {
    const file = join(folder, 'my.yaml');
    writeFileSync(file, 'http: { port: 9000 }\n');
    expect(await onair('config', 'check', '--config', file)).toBe(`${file} is fine\n`);
    writeFileSync(file, 'http:\n  prot: 9000\nhub: { gopMaxMs: -5 }\n');
    await onair('config', 'check', '--config', file, '--set', 'rtmp.port=x');
    expect(errors.join('')).toContain(
      `  http.prot: expected no field of this name, received an unknown field (${file}:2)`,
    );
    expect(errors.join('')).toContain(`  hub.gopMaxMs: expected at least 0, received -5 (${file}:3)`);
    expect(errors.join('')).toContain('  rtmp.port: expected a whole number, received "x" (--set rtmp.port)');
    expect(process.exitCode).toBe(78);
  });

  it('shows every value but secrets', async () => {
    const file = join(folder, 'my.yaml');
    const secret = 'abcdefghijklmnopqrstuvwxyz';
    writeFileSync(
      file,
      `auth: { publishKeys: [{ app: live, key: ${secret} }] }\npulls: [{ url: "rtmp://h/a/b?key=${secret}", stream: a/b }]\n`,
    );
    const shown = await onair('config', 'show', '-c', file);
    expect(shown).not.toContain(secret);
    expect(shown).toContain('mergeWindowMs: 0');
    expect(shown).toContain('stream: a/b');
    expect(shown).toContain('app: live');
  });
});

describe('flags', () => {
  it('become settings in front of everything else', () => {
    const flags = {
      httpPort: '1',
      demo: true,
      set: [parseAssignment('rtmp.port=2'), parseAssignment('data=a=b')],
    };
    const config = loadConfig(configSources(flags, { ONAIR_HTTP_PORT: '3', ONAIR_DATA: 'c' }));
    expect(config).toMatchObject({ http: { port: 1 }, rtmp: { port: 2 }, demo: true, data: 'a=b' });
    for (const wrong of ['', '=1', 'a', 'a b=1', 'a..b=1'])
      expect(() => parseAssignment(wrong)).toThrow('wanted');
  });

  it('name the file before the environment does', () => {
    expect(configSources({ config: 'a' }, { ONAIR_CONFIG: 'b' }).file).toBe('a');
    expect(configSources({}, { ONAIR_CONFIG: 'b' }).file).toBe('b');
    expect(configSources({}, { ONAIR_CONFIG: '' }).file).toBeUndefined();
  });
});

it('the start screen shows where everything is', () => {
  const config = { ...loadConfig({}), demo: true };
  const facts = { config, ports: { http: 8081, rtmp: 1935 }, freshToken: 's3cret' };
  const urls = serverUrls(facts);
  expect(urls).toMatchObject({
    home: 'http://localhost:8081/',
    watch: 'http://localhost:8081/watch/live/NAME',
    publish: 'rtmp://localhost/live',
    signIn: 'http://localhost:8081/signin#token=s3cret',
    demo: 'http://localhost:8081/watch/live/demo',
  });
  const screen = startScreen('1.2.3', urls, '.onair/admin-token', false);
  for (const url of [urls.home, urls.watch, urls.publish!, urls.signIn!, urls.demo!])
    expect(screen).toContain(url);
  expect(screen).not.toMatch(/\p{Cc}(?<!\n)/u);
  const bound = serverUrls({
    config: { ...config, host: 'fd00::5' },
    ports: { http: 1 },
    freshToken: undefined,
  });
  expect(bound).toMatchObject({ home: 'http://[fd00::5]:1/', network: [] });
  expect(bound).not.toHaveProperty('signIn');
  expect(bound).not.toHaveProperty('publish');
});
