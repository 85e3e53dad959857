import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectRoomClient } from '../../../../test/kit/room-client.ts';
import { describeRoomRules, freshRoom } from '../../../../test/kit/room-rules.ts';
import { Scope } from '../../../../test/kit/scope.ts';
import { until } from '../../../../test/kit/until.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { createHttpServer } from '../net/index.ts';
import { createLog } from '../observe/index.ts';
import { registerRooms } from './index.ts';

const house = new Scope();
const scope = new Scope();
let server: { readonly http: string; readonly compat: string };

/** The signalling alone, on ports of its own. */
async function startSignalling(owner: Scope): Promise<typeof server> {
  const base = loadConfig({});
  const config: Config = {
    ...base,
    host: '127.0.0.1',
    compat: true,
    http: { ...base.http, port: 0 },
    rooms: {
      ...base.rooms,
      compatPort: 0,
      maxMembers: 3,
      locks: [{ room: 'locked', password: 'sesame' }],
    },
  };
  const { logger } = createLog({ level: 'silent', format: 'json', write: () => {} });
  const http = createHttpServer({ config: () => config, logger, pagesFolder: tmpdir() });
  owner.defer(() => http.close(100));
  let failures = 0;
  const limiter = { retryAfter: () => (failures < 3 ? 0 : 60), failed: () => void failures++ };
  const rooms = registerRooms(http, {
    config: () => config,
    limiter,
    hasWebRtc: () => true,
    staged: () => {},
    log: () => {},
  });
  owner.defer(() => rooms.close());
  const [port, compat] = [await http.listen(), await rooms.listenCompat()];
  return { http: `http://127.0.0.1:${port}`, compat: `http://127.0.0.1:${compat}` };
}

beforeAll(async () => {
  server = await startSignalling(house);
});
afterEach(() => scope.close());
afterAll(() => house.close());

// ONAIR_ROOMS_URL lets the rules be checked against any server.
describe('rules of rooms', () => {
  describeRoomRules(
    () => scope,
    () => process.env.ONAIR_ROOMS_URL ?? server.http,
  );
});

it('the main port and the original one share their rooms', async () => {
  const room = freshRoom();
  const [old, young] = [
    await connectRoomClient(scope, server.compat),
    await connectRoomClient(scope, server.http),
  ];
  await old.ask(room);
  expect(await young.ask(room)).toMatchObject({ ok: true, members: 2, maxDirect: 10, iceServers: [] });
  old.send({ type: 'talk_ready' });
  expect(await young.message('talk_ready')).toEqual({ type: 'talk_ready', from: old.id });
});

it('a full room and a locked one refuse, and guessing is stopped', async () => {
  const room = freshRoom();
  const clients = [];
  for (let n = 0; n < 4; n++) clients.push(await connectRoomClient(scope, server.http));
  const answers = [];
  for (const client of clients) answers.push(await client.ask(room));
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, false]);
  expect(answers[3]).toMatchObject({ code: 'ROOM_FULL' });
  const last = clients[3]!;
  expect(await last.ask('locked', { password: 'sesame' })).toMatchObject({ ok: true, members: 1 });
  const codes = [];
  for (let n = 0; n < 4; n++) {
    const answer = await clients[0]!.ask('locked', { password: `guess ${n}` });
    codes.push(answer.ok ? 'in' : answer.code);
  }
  expect(codes).toEqual([...Array(3).fill('ROOM_PASSWORD_WRONG'), 'TOO_MANY_ATTEMPTS']);
});

it('pages of foreign sites cannot connect; those of the same host can, on the original port', async () => {
  const ask = (address: string, origin: string): Promise<Response> =>
    fetch(`${address}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
  expect((await ask(server.http, 'http://evil.example')).status).toBe(403);
  expect((await ask(server.compat, 'http://evil.example')).status).toBe(403);
  expect((await ask(server.http, 'http://127.0.0.1:3000')).status).toBe(403);
  const page = await ask(server.compat, 'http://127.0.0.1:3000');
  expect(page.status).toBe(200);
  expect(page.headers.get('access-control-allow-origin')).toBe('http://127.0.0.1:3000');
  await expect(
    connectRoomClient(scope, server.http, {
      transports: ['websocket'],
      extraHeaders: { origin: 'http://evil.example' },
    }),
  ).rejects.toThrow();
  const script = await fetch(`${server.compat}/socket.io/socket.io.js`);
  expect(script.headers.get('content-type')).toContain('javascript');
  expect((await script.text()).length).toBeGreaterThan(10_000);
});

it('ends with the server', async () => {
  const own = new Scope();
  const short = await startSignalling(own);
  const clients = [
    await connectRoomClient(scope, short.http, { transports: ['websocket'] }),
    await connectRoomClient(scope, short.http, { transports: ['polling'] }),
  ];
  for (const client of clients) await client.ask('r');
  await own.close();
  await until(() => clients.every(({ socket }) => !socket.connected));
});
