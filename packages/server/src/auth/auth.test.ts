import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { PAGES } from '../net/http-pages.ts';
import {
  AdminGuard,
  AdminToken,
  AttemptLimiter,
  cookieOf,
  createPublishGuard,
  DEMO_USER,
  FileKeyStore,
  KEY_FILE,
  RESERVED_APPS,
  SIGN_IN_COOKIE,
  SignIns,
  TOKEN_FILE,
} from './index.ts';

let folder: string;
let now = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onair-auth-'));
  now = 1_000_000;
});
const limiter = (limit = 10) =>
  new AttemptLimiter(
    () => limit,
    () => now,
  );

describe('the admin token', () => {
  it('is made once, is for the owner only, and is shown once', () => {
    const data = join(folder, 'data');
    const first = AdminToken.open(data);
    const file = join(data, TOKEN_FILE);
    expect(first.fresh).toMatch(/^[\w-]{32}$/);
    expect(readFileSync(file, 'utf8')).toBe(`${first.fresh}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    const again = AdminToken.open(data);
    expect(again.fresh).toBeUndefined();
    expect(again.verify(first.fresh)).toBe(true);
    for (const wrong of ['', `${first.fresh}x`, first.fresh!.slice(1), undefined, 5, 'x'.repeat(100_000)]) {
      expect(again.verify(wrong)).toBe(false);
    }
    expect(readdirSync(data)).toEqual([TOKEN_FILE]);
  });

  it('is closed to others if they could read it', () => {
    AdminToken.open(folder);
    const file = join(folder, TOKEN_FILE);
    chmodSync(file, 0o644);
    expect(AdminToken.open(folder).wasExposed).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not guessed from a broken file', () => {
    writeFileSync(join(folder, TOKEN_FILE), 'short');
    expect(() => AdminToken.open(folder)).toThrow('delete the file');
  });
});

describe('the operator', () => {
  function guard() {
    const token = AdminToken.open(folder);
    const signIns = new SignIns(folder, 1000, () => now);
    return { guard: new AdminGuard({ token, signIns, limiter: limiter() }), token: token.fresh ?? '' };
  }
  const asks = (more: object = {}) => ({
    authorization: undefined,
    cookie: undefined,
    address: '10.0.0.1',
    ...more,
  });

  it('shows the token or a cookie', () => {
    const { guard: admin, token } = guard();
    expect(admin.identify(asks())).toEqual({ kind: 'anonymous' });
    expect(admin.identify(asks({ authorization: `Bearer ${token}` }))).toEqual({
      kind: 'admin',
      by: 'token',
    });
    expect(admin.identify(asks({ authorization: 'Bearer nonsense' }))).toEqual({ kind: 'wrong' });
    const answer = admin.signIn(token, '10.0.0.1');
    const cookie = `a=b; ${SIGN_IN_COOKIE}=${'secret' in answer ? answer.secret : ''}; c`;
    expect(admin.identify(asks({ cookie }))).toEqual({ kind: 'admin', by: 'cookie' });
    const restarted = guard().guard;
    expect(restarted.identify(asks({ cookie }))).toEqual({ kind: 'admin', by: 'cookie' });
    now += 1000;
    expect(restarted.identify(asks({ cookie }))).toEqual({ kind: 'wrong' });
    now -= 1000;
    restarted.signOut(cookie);
    expect(restarted.identify(asks({ cookie }))).toEqual({ kind: 'wrong' });
    expect(guard().guard.identify(asks({ cookie }))).toEqual({ kind: 'wrong' });
  });

  it('signs in by the account for trying out, from this machine, while it is open', async () => {
    const token = AdminToken.open(folder);
    const signIns = new SignIns(folder, 1000, () => now);
    let open = false;
    const demoAccount = (): boolean => open;
    const admin = new AdminGuard({ token, signIns, limiter: limiter(), demoAccount });
    const enter = (password: string, local = true, user = DEMO_USER) =>
      admin.signInAs(user, password, { address: '127.0.0.1', local });
    expect(await enter('hogehogeunko')).toEqual({ kind: 'wrong' });
    open = true;
    expect([admin.demoAccount(true), admin.demoAccount(false)]).toEqual([true, false]);
    const answer = await enter('hogehogeunko');
    const cookie = `${SIGN_IN_COOKIE}=${'secret' in answer ? answer.secret : ''}`;
    expect(admin.identify(asks({ cookie })).kind).toBe('admin');
    for (const [password, local, user] of [
      ['hogehogeunk', true, DEMO_USER],
      ['hogehogeunko', true, 'hoge@example.com'],
      ['hogehogeunko', false, DEMO_USER],
      ['hogehogeunko'.padEnd(300, '!'), true, DEMO_USER],
    ] as const)
      expect(await enter(password, local, user)).toEqual({ kind: 'wrong' });
    for (let i = 0; i < 6; i++) await enter('guess');
    expect(await enter('hogehogeunko')).toEqual({ kind: 'limited', retryAfter: 60 });
  });

  it('counts guesses of the account that come together before it looks at them', async () => {
    const token = AdminToken.open(folder);
    const signIns = new SignIns(folder, 1000, () => now);
    const admin = new AdminGuard({ token, signIns, limiter: limiter(3), demoAccount: () => true });
    const enter = (password: string) =>
      admin.signInAs(DEMO_USER, password, { address: '127.0.0.1', local: true });
    // What is right does not count once it is known.
    for (let i = 0; i < 4; i++) expect(await enter('hogehogeunko')).toHaveProperty('secret');
    const guesses = await Promise.all(Array.from({ length: 8 }, (_, n) => enter(`guess ${n}`)));
    expect(guesses.map((guess) => ('kind' in guess ? guess.kind : 'in'))).toEqual([
      ...Array(3).fill('wrong'),
      ...Array(5).fill('limited'),
    ]);
    expect(await enter('hogehogeunko')).toEqual({ kind: 'limited', retryAfter: 60 });
    now += 60_000;
    expect(await enter('hogehogeunko')).toHaveProperty('secret');
  });

  it('takes a failed attempt back once', () => {
    const attempts = limiter(2);
    const takeBack = attempts.failed('10.0.0.1');
    attempts.failed('10.0.0.1');
    expect(attempts.retryAfter('10.0.0.1')).toBe(60);
    takeBack();
    takeBack();
    expect(attempts.retryAfter('10.0.0.1')).toBe(0);
    attempts.failed('10.0.0.1');
    expect(attempts.retryAfter('10.0.0.1')).toBe(60);
  });

  it('has ten guesses a minute and address', () => {
    const { guard: admin, token } = guard();
    for (let i = 0; i < 10; i++) expect(admin.signIn(`wrong${i}`, '10.0.0.1')).toEqual({ kind: 'wrong' });
    expect(admin.signIn(token, '10.0.0.1')).toEqual({ kind: 'limited', retryAfter: 60 });
    expect(admin.identify(asks({ authorization: `Bearer ${token}` })).kind).toBe('limited');
    expect(admin.signIn(token, '10.0.0.2')).toHaveProperty('secret');
    now += 60_000;
    expect(admin.signIn(token, '10.0.0.1')).toHaveProperty('secret');
  });

  it.each([
    [undefined, undefined],
    ['onair_session=a', 'a'],
    ['xonair_session=a; onair_session = b ; onair_session=c', 'b'],
    ['onair_session', undefined],
    ['=;;=a', undefined],
  ])('cookie header %s', (header, value) => expect(cookieOf(header, 'onair_session')).toBe(value));
});

describe('the limiter', () => {
  it('counts an IPv6 /64 as one address and keeps bounded memory', () => {
    const limits = limiter(2);
    limits.failed('2001:db8::1');
    limits.failed('2001:db8::2');
    expect(limits.retryAfter('2001:db8:0:0:9::3')).toBe(60);
    expect(limits.retryAfter('2001:db8:0:1::1')).toBe(0);
    for (let i = 0; i < 60_000; i++) limits.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(limits.retryAfter('2001:db8::1')).toBe(0);
  });
});

describe('stream keys', () => {
  it('survive a restart, are seen by a second process, and are never kept in clear', () => {
    const store = new FileKeyStore(folder, () => now);
    const other = new FileKeyStore(folder);
    expect(store.list()).toEqual([]);
    const made = store.create({ app: 'live', name: 'test', label: 'カメラ' });
    expect(made).toMatchObject({ app: 'live', name: 'test', label: 'カメラ', created: now });
    expect(made.key).toMatch(/^[\w-]{32}$/);
    expect(readFileSync(join(folder, KEY_FILE), 'utf8')).not.toContain(made.key);
    expect(statSync(join(folder, KEY_FILE)).mode & 0o777).toBe(0o600);
    expect(other.list().map(({ id }) => id)).toEqual([made.id]);
    const second = other.create({ app: 'live' });
    expect(store.list().map(({ id }) => id)).toEqual([made.id, second.id]);
    expect(store.remove(made.id)).toBe(true);
    expect(store.remove(made.id)).toBe(false);
    expect(other.list().map(({ id }) => id)).toEqual([second.id]);
    expect(existsSync(join(folder, `${KEY_FILE}.lock`))).toBe(false);
  });

  it('are refused from a damaged file with its name', () => {
    writeFileSync(join(folder, KEY_FILE), '{"keys":[{"id":"a","app":"live","created":1,"hash":"zz"}]}');
    expect(() => new FileKeyStore(folder)).toThrow(
      /stream-keys\.json is damaged: keys\[0\]\.hash: expected 64/,
    );
    writeFileSync(join(folder, KEY_FILE), '{');
    expect(() => new FileKeyStore(folder)).toThrow(/stream-keys\.json is damaged/);
  });
});

describe('publishing', () => {
  const listed = 'a-key-in-the-configuration-file';
  function make(settings: object = {}) {
    const auth = {
      ...loadConfig({}).auth,
      publishKeys: [{ app: 'conf', name: 'only', key: listed }],
      ...settings,
    };
    const keys = new FileKeyStore(folder);
    const guard = createPublishGuard({ config: () => auth, keys, limiter: limiter() });
    const ask = (more: object) =>
      guard.authorize({
        app: 'live',
        name: 'test',
        query: '',
        address: '192.0.2.1',
        protocol: 'rtmp',
        ...more,
      });
    return { guard, keys, ask };
  }

  it('is open from loopback and needs a key from elsewhere', async () => {
    const { ask, keys, guard } = make();
    expect(await ask({ address: '127.0.0.1' })).toEqual({ ok: true, identity: 'loopback' });
    expect(await ask({ address: '::ffff:127.0.0.1', query: 'key=wrong' })).toMatchObject({ ok: true });
    expect(await ask({ address: '127.0.0.1', forwarded: true })).toMatchObject({ ok: false });
    expect(await ask({})).toMatchObject({ ok: false, code: 'PUBLISH_REFUSED' });
    const { key, id } = keys.create({ app: 'live' });
    expect(await ask({ query: `a=b&key=${key}` })).toEqual({ ok: true, identity: `key:${id}` });
    expect(await ask({ query: `key=${key}`, address: '127.0.0.1' })).toEqual({
      ok: true,
      identity: `key:${id}`,
    });
    expect(await ask({ query: `key=${key}`, app: 'other' })).toMatchObject({ ok: false });
    expect(await ask({ query: `key=${key}&key=${key}` })).toMatchObject({ ok: false });
    expect(guard.keyNeeded('127.0.0.1')).toBe(false);
    expect(guard.keyNeeded('192.0.2.1')).toBe(true);
  });

  it('says of who is on the list of the denied that no key helps', async () => {
    const { ask, keys } = make({
      lists: [{ app: 'live', publish: ['deny 192.0.2.0/24'], play: [], admits: false }],
    });
    const { key } = keys.create({ app: 'live' });
    const barred = { ok: false, code: 'PUBLISH_REFUSED', barred: true };
    expect(await ask({})).toMatchObject(barred);
    expect(await ask({ query: `key=${key}` })).toMatchObject(barred);
    expect(await ask({ address: '198.51.100.1' })).not.toHaveProperty('barred');
  });

  it('takes a key for its stream only, from store and configuration', async () => {
    const { ask, keys } = make({ publishFromLoopback: false });
    const { key } = keys.create({ app: 'live', name: 'test' });
    expect(await ask({ query: `key=${key}`, address: '::1' })).toMatchObject({ ok: true });
    expect(await ask({ query: `key=${key}`, name: 'other' })).toMatchObject({ ok: false });
    expect(await ask({ app: 'conf', name: 'only', query: `key=${listed}` })).toMatchObject({ ok: true });
    expect(await ask({ app: 'conf', name: 'other', query: `key=${listed}` })).toMatchObject({ ok: false });
    expect(await ask({ address: '::1' })).toMatchObject({ ok: false });
  });

  it('answers alike for a wrong key and an unknown stream, and stops guessing', async () => {
    const { ask, keys } = make();
    const { key } = keys.create({ app: 'live', name: 'test' });
    const wrong = await ask({ query: 'key=wrong' });
    const unknown = await ask({ query: `key=${key}`, name: 'nosuch' });
    expect(wrong).toEqual(unknown);
    for (let i = 0; i < 8; i++) await ask({ query: `key=guess${i}` });
    expect(await ask({ query: `key=${key}` })).toMatchObject({ ok: false, code: 'TOO_MANY_ATTEMPTS' });
    expect(await ask({ query: `key=${key}`, address: '192.0.2.2' })).toMatchObject({ ok: true });
    now += 60_000;
    expect(await ask({ query: `key=${key}` })).toMatchObject({ ok: true });
  });

  it.each([
    { name: '../x' },
    { name: '' },
    { name: 'x'.repeat(65) },
    { name: 'a\nb' },
    { app: '🎥' },
    { app: 'api' },
    { app: 'relay' },
    { app: 'watch' },
  ])('refuses the name %o', async (names) => {
    expect(await make().ask({ address: '127.0.0.1', ...names })).toMatchObject({
      ok: false,
      code: 'STREAM_NAME_INVALID',
    });
  });

  it('reserves the applications that a page would hide', () => {
    const hiding = PAGES.map(({ path }) => path.split('/')).filter(({ length }) => length > 2);
    expect(hiding.map(([, app]) => app).filter((app) => !RESERVED_APPS.has(app!))).toEqual([]);
  });
});
