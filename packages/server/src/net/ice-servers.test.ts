import { describe, expect, it } from 'vitest';
import { buildConfig, loadConfig } from '../config/index.ts';
import { iceLinks, iceSettings } from './ice-servers.ts';

const { ice } = loadConfig({});

describe('STUN and TURN servers', () => {
  it('are none unless somebody names some', () => {
    expect(iceSettings(ice, 'x', 0)).toEqual({ iceServers: [], iceTransportPolicy: 'all' });
  });

  it('get passwords that end, made of the shared secret', () => {
    const settings = {
      ...ice,
      servers: [{ urls: ['stun:a.example'] }, { urls: ['turn:b.example'], username: 'u', credential: 'p' }],
      turnUrls: ['turn:c.example:3478?transport=udp', 'turns:c.example'],
      turnSecret: 'north star',
      relayOnly: true,
    };
    const { iceServers, iceTransportPolicy } = iceSettings(settings, 'wei"rd;', 1_700_000_000_999);
    expect(iceTransportPolicy).toBe('relay');
    // printf %s 1700021600:wei_rd_ | openssl dgst -sha1 -hmac 'north star' -binary | base64
    const turn = { username: '1700021600:wei_rd_', credential: 'LxinC25MQitdt2jh/SZ2xG7mWdU=' };
    expect(iceServers[2]).toEqual({ urls: settings.turnUrls, ...turn });
    const secret = `username="${turn.username}"; credential="${turn.credential}"; credential-type="password"`;
    expect(iceLinks(iceServers)).toEqual([
      '<stun:a.example>; rel="ice-server"',
      '<turn:b.example>; rel="ice-server"; username="u"; credential="p"; credential-type="password"',
      `<turn:c.example:3478?transport=udp>; rel="ice-server"; ${secret}`,
      `<turns:c.example>; rel="ice-server"; ${secret}`,
    ]);
  });

  it.each([
    { turnUrls: ['stun:a.example'] },
    { turnSecret: 'short' },
    { servers: [{ urls: [] }] },
    { servers: [{ urls: ['turn:a.example'], username: 'a"b' }] },
    { servers: [{ urls: ['http://a.example'] }] },
  ])('are refused in the settings: %j', (wrong) => {
    expect(() => buildConfig({}, JSON.stringify({ ice: wrong }))).toThrow();
  });
});
