import { createHash } from 'node:crypto';
import { amfObject } from '@onair/media/amf';
import {
  adobeProof,
  answerChallenge,
  type ChallengeMode,
  connectRequest,
  readChallenge,
} from '@onair/media/rtmp';
import { beforeEach, expect, it } from 'vitest';
import { AttemptLimiter } from './attempt-limiter.ts';
import { EncoderChallenge } from './encoder-challenge.ts';

const md5 = (text: string): Uint8Array => createHash('md5').update(text).digest();
let nowMs = 0;
let challenge: EncoderChallenge;
let limiter: AttemptLimiter;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  limiter = new AttemptLimiter(
    () => 3,
    () => nowMs,
  );
  const users = [
    { app: 'live', user: 'me', password: 'right one' },
    { app: 'live', name: 'only', user: 'other', password: 'another one' },
  ];
  challenge = new EncoderChallenge({
    config: () => ({ users, challenge: 'adobe' }) as never,
    limiter,
    now: () => nowMs,
  });
});

const request = (query = '', app = 'live', flashVer = 'FMLE/3.0 (compatible; x)') =>
  connectRequest([Object.assign(amfObject(), { app: query === '' ? app : `${app}?${query}`, flashVer })]);
const connect = (query?: string, app?: string, flashVer?: string) =>
  challenge.connect(request(query, app, flashVer), '192.0.2.1');

/** The query that proves a name, made anew. */
function proof(user: string, password: string, mode: ChallengeMode = 'adobe'): string {
  const asked = readChallenge(connect(`authmod=${mode}&user=${user}`)!)!;
  return answerChallenge(asked, { user, password }, 'live', '0badcafe', md5)!;
}

const authorize = async (proven: ReturnType<typeof request>, name: string) => {
  const guard = challenge.guard(proven, {
    authorize: async () => ({ ok: true, identity: 'asked the guard' }),
  });
  const base = { app: 'live', query: '', address: '192.0.2.1', protocol: 'rtmp' };
  const answer = await guard.authorize({ ...base, name });
  return answer.ok ? answer.identity : answer.code;
};

it('asks encoders of its applications for a name, then for a proof', () => {
  expect(connect()).toBe('[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ');
  expect(connect('', 'live', 'LNX 9,0,124,2')).toBeUndefined();
  expect(connect('', 'free')).toBeUndefined();
  expect(connect('authmod=adobe&user=me')).toMatch(
    /^\[ AccessManager\.Reject \] : \[ authmod=adobe \] : \?reason=needauth&user=me&salt=\S{8}&challenge=(\S{21})&opaque=\1$/,
  );
  expect(connect('authmod=llnw&user=me')).toMatch(
    /\[ authmod=llnw \] : \?reason=needauth&user=me&nonce=\S+$/,
  );
});

it.each(['adobe', 'llnw'] as const)('takes the right proof of %s, once', async (mode) => {
  const query = proof('me', 'right one', mode);
  const proven = request(query);
  expect(challenge.connect(proven, '192.0.2.1')).toBeUndefined();
  expect(await authorize(proven, 'anything')).toBe('user:me');
  expect(connect(query)).toContain('authfailed');
  const own = request(proof('other', 'another one', mode));
  expect(challenge.connect(own, '192.0.2.1')).toBeUndefined();
  expect([await authorize(own, 'only'), await authorize(own, 'more')]).toEqual([
    'user:other',
    'PUBLISH_REFUSED',
  ]);
  expect(await authorize(request('', 'live', 'LNX'), 'x')).toBe('asked the guard');
});

it.each<[string, () => string]>([
  ['a wrong password', () => proof('me', 'wrong one')],
  ['a name that there is not', () => proof('nobody', 'right one')],
  ['the proof of somebody else', () => proof('other', 'another one').replace('user=other', 'user=me')],
  ['a name of any form', () => 'authmod=adobe&user=a b'],
  [
    'a token of its own',
    () => {
      const salt = /salt=([^&]+)/.exec(connect('authmod=adobe&user=me')!)![1]!;
      const token = `0${Math.floor(nowMs / 1000).toString(36)}abcd0123456789`;
      const who = { user: 'me', password: 'right one' };
      const response = adobeProof(md5, who, salt, token, '1');
      return `authmod=adobe&user=me&challenge=1&response=${response}&opaque=${token}`;
    },
  ],
  [
    'an old token',
    () => {
      const query = proof('me', 'right one');
      nowMs += 61_000;
      return query;
    },
  ],
])('refuses %s', (_, query) => {
  expect(connect(query())).toBe('[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed');
});

it('asks no more of an address that failed too often', () => {
  for (let i = 0; i < 3; i++) expect(connect(proof('me', 'wrong one'))).toContain('authfailed');
  expect(limiter.retryAfter('192.0.2.1')).toBeGreaterThan(0);
  expect(connect(proof('me', 'right one'))).toContain('authfailed');
});

it('gives a name the same salt each time, whether there is such a user or not', () => {
  const saltOf = (user: string): string => /salt=([^&]+)/.exec(connect(`authmod=adobe&user=${user}`)!)![1]!;
  expect(saltOf('me')).toBe(saltOf('me'));
  expect(saltOf('nobody')).toBe(saltOf('nobody'));
  expect(saltOf('me')).not.toBe(saltOf('nobody'));
});
