import { expect, it } from 'vitest';
import { connectRoomClient, type RoomClient } from './room-client.ts';
import type { Scope } from './scope.ts';
import { until } from './until.ts';

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';
const CANDIDATE = 'candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host';

let rooms = 0;
/** A room that no other test uses. */
export function freshRoom(): string {
  return `room-${process.pid}-${++rooms}`;
}

/** The rules of `docs/protocols/rooms.md`, for a signalling server at whatever address. */
export function describeRoomRules(scope: () => Scope, address: () => string): void {
  const connect = (options?: Record<string, unknown>): Promise<RoomClient> =>
    connectRoomClient(scope(), address(), options);
  const pair = async (): Promise<[RoomClient, RoomClient, string]> => {
    const room = freshRoom();
    const [talk, watch] = [await connect(), await connect()];
    for (const client of [talk, watch]) await client.ask(room);
    return [talk, watch, room];
  };

  it.each([['websocket'], ['polling']])(
    'the message flow of the original pages, by %s',
    async (transport) => {
      const room = freshRoom();
      const talk = await connect({ transports: [transport] });
      const watch = await connect({ transports: [transport] });
      talk.enter(room);
      watch.enter(room);
      // A page may speak at once behind its enter.
      watch.send({ type: 'talk_request' });
      expect(await talk.message('talk_request')).toEqual({ type: 'talk_request', from: watch.id });
      talk.send({ type: 'talk_ready' });
      expect(await watch.message('talk_ready')).toEqual({ type: 'talk_ready', from: talk.id });
      watch.send({ type: 'talk_request', sendto: talk.id });
      expect(await talk.message('talk_request')).toEqual({
        type: 'talk_request',
        sendto: talk.id,
        from: watch.id,
      });
      talk.send({ type: 'offer', sdp: SDP, sendto: watch.id });
      expect(await watch.message('offer')).toEqual({
        type: 'offer',
        sdp: SDP,
        sendto: watch.id,
        from: talk.id,
      });
      watch.send({ type: 'answer', sdp: SDP, sendto: talk.id });
      expect(await talk.message('answer')).toEqual({
        type: 'answer',
        sdp: SDP,
        sendto: talk.id,
        from: watch.id,
      });
      const candidate = {
        type: 'candidate',
        sendto: talk.id,
        sdpMLineIndex: 0,
        sdpMid: '0',
        candidate: CANDIDATE,
      };
      watch.send(candidate);
      expect(await talk.message('candidate')).toEqual({ ...candidate, from: watch.id });
      talk.send({ type: 'end_talk' });
      expect(await watch.message('end_talk')).toEqual({ type: 'end_talk', from: talk.id });
      watch.send({ type: 'bye', sendto: talk.id });
      await talk.message('bye');
      const { id } = watch;
      watch.socket.disconnect();
      expect(await talk.next('user disconnected')).toEqual({ id });
    },
  );

  it('a sender cannot be forged, and fields that do not belong stay behind', async () => {
    const [talk, watch] = await pair();
    talk.send({ type: 'talk_ready', from: 'victim', room: 'other', sdp: SDP, constructor: { from: 'x' } });
    expect(await watch.message('talk_ready')).toEqual({ type: 'talk_ready', from: talk.id });
  });

  it('nothing leaks into other rooms, not even to an id that is known', async () => {
    const [talk, watch] = await pair();
    const [other, stranger] = [await connect(), await connect()];
    await other.ask(freshRoom());
    stranger.send({ type: 'bye' });
    expect(await stranger.next('refused')).toMatchObject({ code: 'ROOM_NOT_ENTERED' });
    stranger.send({ type: 'bye', sendto: watch.id });
    other.send({ type: 'bye', sendto: watch.id });
    const unknown = { type: 'bye', sendto: 'AAAAAAAAAAAAAAAAAAAA' };
    const refusal = await other.next('refused');
    other.send(unknown);
    expect(await other.next('refused')).toEqual(refusal);
    talk.send({ type: 'talk_ready' });
    await watch.message('talk_ready');
    for (const client of [other, stranger, watch, talk]) {
      expect(client.heard.filter(([event]) => event !== 'refused')).toEqual([]);
    }
  });

  it('a room has one talker, who alone can end the talk', async () => {
    const [talk, watch, room] = await pair();
    talk.send({ type: 'talk_ready' });
    await watch.message('talk_ready');
    watch.send({ type: 'talk_ready' });
    expect(await watch.next('refused')).toMatchObject({ code: 'ROOM_HAS_TALKER' });
    watch.send({ type: 'end_talk' });
    watch.send({ type: 'offer', sdp: SDP, sendto: talk.id });
    await watch.next('refused');
    expect(talk.heard).toEqual([]);
    talk.socket.disconnect();
    await watch.next('user disconnected');
    const late = await connect();
    await late.ask(room);
    watch.send({ type: 'talk_ready' });
    await late.message('talk_ready');
  });

  it('the talker alone sends watchers to the server, and says what becomes of the talk', async () => {
    const [talk, watch] = await pair();
    watch.send({ type: 'talk_request', sendto: talk.id, spill: 'can', more: 1 });
    expect(await talk.message('talk_request')).toEqual({
      type: 'talk_request',
      sendto: talk.id,
      from: watch.id,
      spill: 'can',
    });
    talk.send({ type: 'talk_ready' });
    talk.send({ type: 'spill', sendto: watch.id });
    expect(await watch.message('spill')).toEqual({ type: 'spill', sendto: watch.id, from: talk.id });
    talk.send({ type: 'spill' });
    expect(await talk.next('refused')).toMatchObject({ code: 'ROOM_MESSAGE_INVALID' });
    watch.send({ type: 'spill', sendto: talk.id });
    watch.socket.emit('stage', { stream: true, record: true });
    for (let n = 0; n < 2; n++) {
      expect(await watch.next('refused')).toMatchObject({ code: 'ROOM_HAS_TALKER' });
    }
    talk.socket.emit('stage', { stream: false, record: true });
    const stage = { stream: true, record: true };
    expect([await watch.next('stage'), await talk.next('stage')]).toEqual([stage, stage]);
    talk.send({ type: 'end_talk' });
    expect(await watch.next('stage')).toEqual({ stream: false, record: false });
  });

  it('chat, signs and files go to the room, parts of files as bytes, as fast as is allowed', async () => {
    const [talk, watch] = await pair();
    const chat = { type: 'chat', id: 'chat1234', text: '今日は', name: 'Aki' };
    watch.send({ ...chat, html: '<b>' });
    expect(await talk.message('chat')).toEqual({ ...chat, from: watch.id });
    talk.send({ type: 'reaction', id: 'sign1234', sign: '🎉' });
    expect(await watch.message('reaction')).toMatchObject({ sign: '🎉', from: talk.id });
    const part = { type: 'file_part', id: 'file1234', index: 7, data: Uint8Array.from([1, 2, 3]) };
    watch.send({ ...part, sendto: talk.id });
    expect(await watch.next('refused')).toMatchObject({ code: 'ROOM_MESSAGE_INVALID' });
    talk.send({ type: 'talk_ready' });
    watch.send({ ...part, sendto: talk.id });
    const { data } = await talk.message('file_part');
    expect([...new Uint8Array(data as Uint8Array)]).toEqual([1, 2, 3]);
    watch.send({ ...part, sendto: talk.id, data: new Uint8Array(20_000) });
    expect(await watch.next('refused')).toMatchObject({ code: 'ROOM_MESSAGE_INVALID' });
    for (let n = 0; n < 60; n++) watch.send({ ...chat, id: `chat${1000 + n}` });
    expect(await watch.next('refused')).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  it('names are checked, and the answer tells what went wrong', async () => {
    const client = await connect();
    for (const name of ['', 'a b', '../x', 'x'.repeat(65), 7, null, { toString: 'a' }]) {
      expect(await client.ask(name)).toMatchObject({ ok: false, code: 'ROOM_NAME_INVALID' });
    }
    expect(await client.ask('会議_1')).toMatchObject({ ok: true, id: client.id, members: 1 });
  });

  it('malformed and unknown events go to nobody and hurt nobody', async () => {
    const [talk, watch] = await pair();
    const messages = [
      null,
      'x',
      [],
      { type: 'nonsense' },
      { type: 'offer', sdp: 5 },
      { type: 'offer', sdp: SDP },
    ];
    for (const message of messages) {
      talk.socket.emit('message', message);
      expect(await talk.next('refused')).toMatchObject({ code: 'ROOM_MESSAGE_INVALID' });
    }
    for (const event of ['__proto__', 'error', 'constructor', 'user disconnected', 'room']) {
      talk.socket.emit(event, { id: watch.id });
      expect(await talk.next('refused')).toMatchObject({ code: 'ROOM_MESSAGE_INVALID' });
    }
    talk.send({ type: 'talk_ready' });
    await watch.message('talk_ready');
    expect(watch.heard).toEqual([]);
  });

  it('who sends too much is slowed, then closed, while others go on', async () => {
    const [talk, watch] = await pair();
    const flood = await connect();
    await flood.ask(freshRoom());
    for (let n = 0; n < 900; n++) flood.send({ type: 'talk_request' });
    expect(await flood.next('refused')).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await until(() => !flood.socket.connected);
    talk.send({ type: 'talk_ready' });
    await watch.message('talk_ready');
  });

  it('a message that is too long ends the connection', async () => {
    const [talk, watch] = await pair();
    talk.send({ type: 'offer', sdp: 'x'.repeat(100_000), sendto: watch.id });
    await until(() => !talk.socket.connected);
    await watch.next('user disconnected');
    expect(watch.heard).toEqual([]);
  });
}
