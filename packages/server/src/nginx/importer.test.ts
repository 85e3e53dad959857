import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildConfig } from '../config/index.ts';
import { ConfError, parseConf } from './conf.ts';
import { LACKING, NEEDLESS } from './directives.ts';
import { importNginx } from './importer.ts';

const rtmp = (text: string): string => `rtmp { server { listen 1935; ${text} } }`;
const lacking = (text: string): string[] =>
  importNginx(text)
    .remarks.filter(({ kind }) => kind === 'lacking')
    .map(({ directive }) => directive);

describe('syntax of nginx', () => {
  it('reads words, quotes, blocks and comments', () => {
    const text = `a 1 "b c;" 'd\\'e'; # f\nblock x {\n  inner \${name}.flv;\n}\n`;
    expect(parseConf(text)).toEqual([
      { name: 'a', args: ['1', 'b c;', "d'e"], line: 1 },
      { name: 'block', args: ['x'], line: 2, block: [{ name: 'inner', args: [`$\{name}.flv`], line: 3 }] },
    ]);
  });

  it('names the line of what is wrong', () => {
    for (const [text, line] of [
      ['a', 1],
      ['a {\n b;', 1],
      ['\n}', 2],
      ['a "b', 1],
      [';', 1],
      ['a { b }', 1],
      ['{ }', 1],
      ['a{'.repeat(20) + '}'.repeat(20), 1],
    ] as const)
      expect(() => parseConf(text), text).toThrow(`line ${line}:`);
  });

  it('throws nothing else for any text', () => {
    const signs = fc.constantFrom('a', ' ', ';', '{', '}', '"', "'", '#', '\n', '\\', '${', 'rtmp', 'server');
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 40 }), (parts) => {
        try {
          importNginx(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(ConfError);
        }
      }),
    );
  });
});

describe('import of nginx-rtmp', () => {
  it('takes the configuration of the example with HLS', () => {
    const file = new URL('../../../../test/kit/nginx/rtmp-hls.conf', import.meta.url);
    const { config, remarks } = importNginx(readFileSync(file, 'utf8'));
    expect(config).toEqual({
      http: { port: 80 },
      rtmp: { port: 1935 },
      hls: { streams: [{ match: 'live/*', segmentMs: 1000, windowSegments: 30 }] },
      nginx: { stat: '/stat', control: '/control' },
    });
    expect(remarks.filter(({ kind }) => kind === 'lacking')).toEqual([]);
    expect(buildConfig({}, stringify(config)).hls.streams[0]!.segmentMs).toBe(1000);
  });

  it('inherits callbacks, and asks nobody for a key whom they let in', () => {
    const { config } = importNginx(
      rtmp(`on_connect http://a/c; notify_method get; notify_update_timeout 10s; notify_update_strict on; notify_send_redirect on; netcall_timeout 3s;
        application live { on_publish http://a/p; on_play http://a/w; on_done http://a/d; on_update http://a/u; }
        application vod { on_connect http://b/c; }`),
    );
    const common = { method: 'get', updateMs: 10_000, updateStrict: true, redirects: true, timeoutMs: 3000 };
    expect(config.callbacks).toEqual([
      {
        app: 'live',
        onConnect: 'http://a/c',
        ...common,
        onPublish: 'http://a/p',
        onPlay: 'http://a/w',
        onDone: 'http://a/d',
        onUpdate: 'http://a/u',
        admits: true,
      },
      { app: 'vod', onConnect: 'http://b/c', ...common },
    ]);
    buildConfig({}, stringify(config));
  });

  it('relays by redirect unless clients are sent on', () => {
    const { config } = importNginx(rtmp('application live { on_play http://a/w; }'));
    expect(config.callbacks).toEqual([{ app: 'live', onPlay: 'http://a/w', relays: true }]);
  });

  it('takes ports, limits, pulls and recording', () => {
    const { config } = importNginx(`rtmp { ping 1m; ack_window 1m; max_message 2M; max_connections 5;
      server { listen 127.0.0.1:1936; listen 1937; application live { record all; pull rtmp://h/app/x name=cam static; } } }`);
    expect(config).toEqual({
      rtmp: {
        pingSeconds: 60,
        windowAckBytes: 1_048_576,
        maxMessageBytes: 2_097_152,
        maxConnections: 5,
        host: '127.0.0.1',
        port: 1936,
      },
      record: { streams: 'all' },
      pulls: [{ url: 'rtmp://h/app/x', stream: 'live/cam' }],
    });
  });

  it('takes pulls: always on, or on demand, of one stream or of whatever is asked for', () => {
    const { config, remarks } = importNginx(
      rtmp(`application live { pull rtmp://a/app/x name=one static; pull b.example/app name=two;
        pull rtmp://c.example; pull d/e name=f pageUrl=http://x; pull rtmp://g static; }`),
    );
    expect(config.pulls).toEqual([
      { url: 'rtmp://a/app/x', stream: 'live/one' },
      { url: 'rtmp://b.example/app/{name}', stream: 'live/two', onDemand: true },
      { url: 'rtmp://c.example/{app}/{name}', stream: 'live/*', onDemand: true },
      { url: 'rtmp://d/e/{name}', stream: 'live/f', onDemand: true },
    ]);
    expect(remarks.map(({ directive }) => directive)).toEqual(['pull pageUrl', 'pull rtmp://g static']);
    expect(buildConfig({}, stringify(config)).pulls).toHaveLength(4);
  });

  it('takes lists of addresses, the nearest rules first', () => {
    const { config, remarks } = importNginx(
      `rtmp { deny all; server { allow play all; application live { allow publish 127.0.0.1; allow publish ::1/64; deny publish all; }
        application open { deny play 10.0.0.0/8; } } }`,
    );
    expect(config.auth).toEqual({
      lists: [
        {
          app: 'live',
          publish: ['allow 127.0.0.1', 'allow ::1/64', 'deny all', 'deny all'],
          play: ['allow all', 'deny all'],
          admits: true,
        },
        { app: 'open', publish: ['deny all'], play: ['deny 10.0.0.0/8', 'allow all', 'deny all'] },
      ],
    });
    expect(remarks).toEqual([]);
    expect(buildConfig({}, stringify(config)).auth.lists).toHaveLength(2);
  });

  it('takes pushes, of every stream of an application or of one', () => {
    const { config, remarks } = importNginx(
      rtmp(`push rtmp://every; application live {
        push a.example; push rtmp://b.example:1936/live2/abc-key; push c/app/?x playPath=p name=cam pageUrl=http://x; }`),
    );
    expect(config.pushes).toEqual([
      { stream: 'live/*', url: 'rtmp://every/{app}/{name}' },
      { stream: 'live/*', url: 'rtmp://a.example/{app}/{name}' },
      { stream: 'live/*', url: 'rtmp://b.example:1936/live2/abc-key' },
      { stream: 'live/cam', url: 'rtmp://c/app/p' },
    ]);
    expect(remarks.map(({ directive }) => directive)).toEqual(['push pageUrl']);
    expect(buildConfig({}, stringify(config)).pushes).toHaveLength(4);
  });

  it('names what has no counterpart', () => {
    expect(
      lacking(rtmp('listen 1940; application a { live off; deny publish nobody; push rtmp://; }')),
    ).toEqual(['listen 1940', 'deny publish nobody', 'live off', 'push rtmp://']);
    expect(
      lacking(rtmp('application a { made_up 1; hls_type event; record video; record_max_size 1K; }')),
    ).toEqual(['made_up 1', 'hls_type event', 'record video', 'record_max_size 1K']);
    expect(lacking(`include x; user nobody; ${rtmp('application "b c" { }')}`)).toEqual([
      'include x',
      'user nobody',
      'application b c',
    ]);
    expect(() => importNginx('events { }')).toThrow('no `rtmp` block');
    expect(() => importNginx('rtmp { ping soon; }')).toThrow('line 1');
  });

  it('knows every directive of the module', () => {
    const file = new URL('../../../../test/kit/nginx/directives.txt', import.meta.url);
    const names = readFileSync(file, 'utf8').trim().split(/\s+/);
    expect(names.length).toBeGreaterThan(115);
    const unknown = names.filter((name) =>
      importNginx(`rtmp { ${name} 1; server { application live { ${name} 1; } } }`).remarks.some(({ why }) =>
        why.startsWith('not a directive'),
      ),
    );
    expect(unknown).toEqual([]);
    for (const name of NEEDLESS.keys()) expect(LACKING.has(name), name).toBe(false);
  });
});
