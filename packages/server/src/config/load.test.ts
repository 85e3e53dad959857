import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adminRemote, buildConfig, ConfigError, type ConfigSources, httpHost, loadConfig } from './index.ts';

function faults(text: string | undefined, sources: ConfigSources = {}): readonly object[] {
  try {
    buildConfig({ file: 'onair.yaml', ...sources }, text);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults;
  }
  return [];
}

describe('configuration', () => {
  it('has a default for every key', () => {
    const config = loadConfig({});
    expect(config.http.port).toBe(8080);
    expect(config.hub.reconnectWindowMs).toBe(30_000);
    expect(config.hub.mergeWindowMs).toBe(0);
    expect(config.hls).toMatchObject({ segmentMs: 2000, partMs: 334 });
    expect(config.pulls).toEqual([]);
    expect(httpHost(config)).toBe('::');
    expect(adminRemote(config)).toBe(false);
  });

  it('takes flags before environment before file before defaults', () => {
    const text = 'http: { port: 1001, maxBodyBytes: 5 }\nrtmp: { port: 1002 }\nhub: { maxStreams: 7 }\n';
    const environment = { ONAIR_HTTP_PORT: '2001', ONAIR__rtmp__port: '2002', PATH: '/bin' };
    const flags = [{ path: ['http', 'port'], text: '3001', source: '--http-port' }];
    const config = buildConfig({ environment, flags }, text);
    expect([config.http.port, config.rtmp.port, config.hub.maxStreams]).toEqual([3001, 2002, 7]);
    expect(config.http.maxBodyBytes).toBe(5);
  });

  it('reads text of the environment as the kind of its key', () => {
    const environment = {
      ONAIR_DATA: '123',
      ONAIR_COMPAT: '1',
      ONAIR_LOG: 'json',
      ONAIR_HOST: '0.0.0.0',
      ONAIR__AUTH__PUBLISHFROMLOOPBACK: 'false',
      ONAIR__http__allowedHosts: '[a.example, b.example]',
      ONAIR__rtmp__port: '',
    };
    const config = buildConfig({ environment }, undefined);
    expect(config).toMatchObject({ data: '123', compat: true, log: { format: 'json' }, host: '0.0.0.0' });
    expect(config.auth.publishFromLoopback).toBe(false);
    expect(config.http.allowedHosts).toEqual(['a.example', 'b.example']);
    expect(config.rtmp.port).toBe(1935);
    expect(adminRemote(config)).toBe(true);
  });

  it('names path, expected, received and source of each bad field', () => {
    const text = 'http:\n  port: -1\n  prot: 80\nhub:\n  takeover: maybe\n  maxLagMs: .nan\nlog: loud\n';
    expect(faults(text, { environment: { ONAIR_RTMP_PORT: '99999999' } })).toEqual([
      { path: 'http.port', expected: 'at least 0', received: '-1', source: 'onair.yaml:2' },
      {
        path: 'http.prot',
        expected: 'no field of this name',
        received: 'an unknown field',
        source: 'onair.yaml:3',
      },
      {
        path: 'rtmp.port',
        expected: 'at most 65535',
        received: '99999999',
        source: 'environment ONAIR_RTMP_PORT',
      },
      {
        path: 'hub.takeover',
        expected: 'one of refuse, takeover, standby',
        received: '"maybe"',
        source: 'onair.yaml:5',
      },
      { path: 'hub.maxLagMs', expected: 'a whole number', received: 'NaN', source: 'onair.yaml:6' },
      { path: 'log', expected: 'an object', received: '"loud"', source: 'onair.yaml:7' },
    ]);
  });

  it.each([
    ['http: { port: 80.5 }', 'http.port', 'a whole number', '80.5'],
    ['http: { port: 1e999 }', 'http.port', 'a whole number', 'Infinity'],
    ['http: { port: "80" }', 'http.port', 'a whole number', '"80"'],
    ['http: { port: 0x1FFFFFFFFF }', 'http.port', 'at most 65535', '137438953471'],
    ['rtmp: null', 'rtmp', 'an object', 'null'],
    ['pulls: [{ url: "file:///etc/passwd", stream: live/a }]', 'pulls[0].url', /matches/, 'a secret'],
    ['pulls: [{ url: "rtmp://h/a/b", stream: "../x" }]', 'pulls[0].stream', /matches/, '"../x"'],
    [
      'auth: { publishKeys: [{ app: live, key: hunter2 }] }',
      'auth.publishKeys[0].key',
      'at least 22 characters',
      'a secret',
    ],
    ['__proto__: { polluted: true }', '__proto__', 'no field of this name', 'an unknown field'],
    ['constructor: 1', 'constructor', 'no field of this name', 'an unknown field'],
    ['http: { "a\\u001b[31m": 1 }', 'http."a\\u001b[31m"', 'no field of this name', 'an unknown field'],
    ['- a\n- b', '', 'a mapping of sections', 'a list'],
    ['plain', '', 'a mapping of sections', 'a scalar'],
    ['a: [', '', 'YAML 1.2', /./],
    ['a: 1\na: 2', '', 'YAML 1.2', /unique/],
  ])('refuses %s', (text, path, expected, received) => {
    const [first] = faults(text) as { path: string; expected: string; received: string }[];
    expect(first).toBeDefined();
    expect(first!.path).toBe(path);
    expect(first!.expected).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
    expect(first!.received).toEqual(
      typeof received === 'string' ? received : expect.stringMatching(received),
    );
  });

  it('refuses unknown variables, flags and doubled pulls', () => {
    expect(faults(undefined, { environment: { ONAIR__http__prt: '1' } })).toMatchObject([
      { path: 'http.prt', source: 'environment ONAIR__http__prt' },
    ]);
    expect(
      faults(undefined, { flags: [{ path: ['a', 'b'], text: '{', source: '--set a.b' }] }),
    ).toMatchObject([{ path: 'a.b', expected: 'a YAML value', source: '--set a.b' }]);
    const twice = 'pulls: [{ url: "rtmp://h/a/b", stream: a/b }, { url: "rtmp://h/a/c", stream: a/b }]';
    expect(faults(twice)).toMatchObject([{ path: 'pulls[1].stream', expected: 'each stream once' }]);
  });

  it('refuses alias bombs, long files, other encodings and missing files', () => {
    let bomb = 'a: &a [x, x, x, x, x, x, x, x, x]\n';
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe']) {
      bomb += `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]\n`;
    }
    expect(faults(bomb)).toMatchObject([{ expected: 'at most 100 aliases' }]);
    const folder = mkdtempSync(join(tmpdir(), 'onair-config-'));
    const file = join(folder, 'onair.yaml');
    writeFileSync(file, `# ${'x'.repeat(300_000)}`);
    expect(() => loadConfig({ file })).toThrow('at most 262144 bytes');
    writeFileSync(file, new Uint8Array([0x61, 0x3a, 0xff]));
    expect(() => loadConfig({ file })).toThrow('expected UTF-8');
    expect(() => loadConfig({ file: join(folder, 'none') })).toThrow('a readable file, received ENOENT');
  });

  it('never throws anything but ConfigError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), fc.string(), (text, variable) => {
        try {
          buildConfig({ file: 'f', environment: { [`ONAIR__${variable}`]: text } }, text);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 300 },
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
