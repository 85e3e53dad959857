import type { RoomMessage, RoomWelcome } from '@onair/contracts/rooms';
import { beforeEach, describe, expect, it } from 'vitest';
import { type RoomLink, Talker, type TalkerState, Watcher, type WatcherState } from './index.ts';
import type { ServerViewOptions } from './server-view.ts';

/** A connection that writes down what is done to it. */
class FakePeer extends EventTarget {
  readonly done: string[] = [];
  readonly id: number;
  connectionState: RTCPeerConnectionState = 'new';
  localDescription: { sdp: string } | null = null;
  remoteDescription: { sdp: string } | null = null;
  readonly senders: { kind: string; sender: { replaceTrack(track: FakeTrack | null): Promise<void> } }[] = [];

  constructor(id: number) {
    super();
    this.id = id;
  }

  addTransceiver(kind: string): void {
    const replaceTrack = async (track: FakeTrack | null): Promise<void> =>
      void this.done.push(`${kind} ${track?.label ?? 'nothing'}`);
    this.senders.push({ kind, sender: { replaceTrack } });
  }

  createDataChannel(label: string): EventTarget {
    this.done.push(`channel ${label}`);
    return new EventTarget();
  }

  getTransceivers() {
    return this.senders;
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: `v=0\r\no=- ${this.id} 1 IN IP4 0.0.0.0\r\n` };
  }

  async setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.done.push('described');
    this.remoteDescription = description;
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.done.push(candidate);
    if (candidate === 'odd') throw new Error('not understood');
  }

  close(): void {
    this.done.push('closed');
    this.connectionState = 'closed';
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

/** A stream that keeps its tracks. */
function fakeStream(): MediaStream {
  const tracks = new Set<unknown>();
  return {
    getTracks: () => [...tracks],
    addTrack: (track: unknown) => void tracks.add(track),
    removeTrack: (track: unknown) => void tracks.delete(track),
  } as unknown as MediaStream;
}

class FakeTrack {
  readonly kind: string;
  readonly label: string;
  readyState = 'live';

  constructor(kind: string, label: string) {
    this.kind = kind;
    this.label = label;
  }

  stop(): void {
    this.readyState = 'ended';
  }
}

function stream(...tracks: FakeTrack[]): MediaStream {
  const of = (kind: string) => () => tracks.filter((track) => track.kind === kind);
  return {
    getTracks: () => tracks,
    getAudioTracks: of('audio'),
    getVideoTracks: of('video'),
  } as unknown as MediaStream;
}

let made: FakePeer[];
let sent: RoomMessage[];
beforeEach(() => {
  made = [];
  sent = [];
});
const link: RoomLink = {
  connected: true,
  send: (message) => void sent.push(message),
  stage: () => {},
  close: () => {},
};
const welcome = (more: Partial<RoomWelcome> = {}): RoomWelcome => ({
  id: 'me',
  members: 1,
  maxDirect: 2,
  maxHandOn: 0,
  iceServers: [],
  iceTransportPolicy: 'all',
  stage: { stream: false, record: false },
  relayed: { fileBytes: 1e6, perSecond: 1e5 },
  ...more,
});
const peers = (): RTCPeerConnection => {
  const peer = new FakePeer(made.length + 1);
  made.push(peer);
  return peer as unknown as RTCPeerConnection;
};
const candidate = (from: string, text: string) =>
  ({ type: 'candidate', from, candidate: text, sdpMid: '0', sdpMLineIndex: 0 }) as const;
const types = (): string[] =>
  sent.splice(0).map(({ type, sendto }) => (sendto === undefined ? type : `${type} ${sendto}`));

describe('a talker', () => {
  let state: TalkerState;
  let early: number;
  let talker: Talker;
  const camera = new FakeTrack('video', 'camera');
  const microphone = new FakeTrack('audio', 'microphone');

  beforeEach(() => {
    early = 0;
    talker = new Talker({
      link,
      peers,
      changed: (next) => {
        state = next;
      },
      askedTooEarly: () => void early++,
    });
    talker.entered(welcome());
  });

  it('passes requests over while it has no picture, then tells that it is ready', async () => {
    await talker.hear({ type: 'talk_request', from: 'w' });
    expect([early, made.length]).toEqual([1, 0]);
    await talker.show(stream(camera));
    expect(types()).toEqual(['talk_ready']);
  });

  it('keeps candidates until the answer is there, and outlives odd ones', async () => {
    await talker.show(stream(camera, microphone));
    await talker.hear({ type: 'talk_request', from: 'w' });
    expect(types()).toEqual(['talk_ready', 'offer w']);
    for (const text of ['first', 'odd']) await talker.hear(candidate('w', text));
    expect(made[0]!.done).toEqual(['audio microphone', 'video camera']);
    await talker.hear({ type: 'answer', from: 'w', sdp: 'v=0' });
    await talker.hear(candidate('w', 'later'));
    expect(made[0]!.done.slice(2)).toEqual(['described', 'first', 'odd', 'later']);
    await talker.hear(candidate('stranger', 'x'));
    made[0]!.become('connected');
    expect(state.watching).toBe(1);
  });

  it('sends another source over the same connections, and releases what it no longer needs', async () => {
    const [video, sound, screen] = ['camera', 'microphone', 'screen'].map(
      (label) => new FakeTrack(label === 'microphone' ? 'audio' : 'video', label),
    ) as [FakeTrack, FakeTrack, FakeTrack];
    await talker.show(stream(video, sound));
    await talker.hear({ type: 'talk_request', from: 'w' });
    types();
    await talker.show(stream(screen, sound));
    expect(types()).toEqual(['talk_ready']);
    expect(made).toHaveLength(1);
    expect(made[0]!.done.slice(2)).toEqual(['audio microphone', 'video screen']);
    expect([video, sound, screen].map(({ readyState }) => readyState)).toEqual(['ended', 'live', 'live']);
    talker.stop();
    expect(types()).toEqual(['end_talk']);
    expect([sound.readyState, screen.readyState, made[0]!.done.at(-1)]).toEqual(['ended', 'ended', 'closed']);
  });

  it('says so when there is no place, and has one again when somebody leaves or fails', async () => {
    await talker.show(stream(camera));
    types();
    for (const from of ['a', 'b', 'c']) await talker.hear({ type: 'talk_request', from });
    expect(types()).toEqual(['offer a', 'offer b', 'bye c']);
    expect(state.turnedAway).toBe(1);
    talker.left('a');
    await talker.hear({ type: 'talk_request', from: 'c' });
    made[1]!.become('failed');
    await talker.hear({ type: 'talk_request', from: 'd' });
    // Who asks again starts anew and takes no second place.
    await talker.hear({ type: 'talk_request', from: 'd' });
    expect(types()).toEqual(['offer c', 'offer d', 'offer d']);
    expect(state.turnedAway).toBe(0);
  });

  it('starts anew with everybody after a reconnection', async () => {
    await talker.show(stream(camera));
    await talker.hear({ type: 'talk_request', from: 'w' });
    types();
    talker.entered(welcome());
    expect(made[0]!.done.at(-1)).toBe('closed');
    expect(types()).toEqual(['talk_ready']);
  });

  it('sends to the server while somebody watches there, and takes them back when there is a place', async () => {
    const log: string[] = [];
    const own = new Talker({
      link,
      peers,
      changed: (next) => {
        state = next;
      },
      cast: {
        possible: true,
        entered: () => {},
        send: (media) => void log.push(media === undefined ? 'nothing' : 'stream'),
        stop: () => void log.push('stop'),
      },
    });
    own.entered(welcome({ stream: '/rooms/r', key: 'k' }));
    await own.show(stream(camera));
    types();
    for (const from of ['a', 'b', 'c', 'd'])
      await own.hear({ type: 'talk_request', from, ...(from === 'd' ? {} : { spill: 'can' }) });
    // One of the pages of old knows nothing of the server.
    expect(types()).toEqual(['offer a', 'offer b', 'spill c', 'bye d']);
    expect([state.spilled, state.turnedAway, log.at(-1)]).toEqual([1, 1, 'stream']);
    own.left('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(types()).toEqual(['offer c']);
    expect(log.at(-1)).toBe('stream');
    made[2]!.become('connected');
    expect([state.spilled, log.at(-1)]).toEqual([0, 'nothing']);
    // It fails there, and stays on the server from then on.
    made[2]!.become('failed');
    await own.hear({ type: 'talk_request', from: 'c', spill: 'only' });
    own.left('b');
    expect(types()).toEqual(['spill c']);
    expect(log.at(-1)).toBe('stream');
    own.left('c');
    expect(log.at(-1)).toBe('nothing');
    own.staged({ stream: true, record: false });
    expect(log.at(-1)).toBe('stream');
    own.stop();
    expect(log.at(-2)).toBe('stop');
  });
});

describe('a watcher', () => {
  let states: (WatcherState | `${WatcherState} server`)[];
  let views: { options: ServerViewOptions; closed: boolean }[];
  let pictures: (() => void)[];
  let shown: (MediaStream | undefined)[];
  let watcher: Watcher;

  beforeEach(() => {
    [states, shown, views, pictures] = [[], [], [], []];
    watcher = new Watcher({
      link,
      peers,
      changed: (next, way) => void states.push(way === 'server' ? `${next} server` : next),
      show: (next) => void shown.push(next),
      media: { stream: fakeStream, ready: () => new Promise((resolve) => void pictures.push(resolve)) },
      view: (options) => {
        const view = { options, closed: false, close: () => void Object.assign(view, { closed: true }) };
        views.push(view);
        return view;
      },
    });
    watcher.entered({ iceServers: [], iceTransportPolicy: 'all', maxHandOn: 0 });
  });
  const offer = (session: number, from = 't') =>
    watcher.hear({ type: 'offer', from, sdp: `v=0\r\no=- ${session} 1 IN IP4 0.0.0.0\r\n` });

  it('asks on entering and when somebody is ready, answers, and ends with the talk', async () => {
    await watcher.hear({ type: 'talk_ready', from: 't' });
    await offer(7);
    await watcher.hear({ type: 'talk_ready', from: 't' });
    expect(types()).toEqual(['talk_request', 'talk_request t', 'answer t']);
    made[0]!.become('connected');
    await watcher.hear({ type: 'end_talk', from: 'stranger' });
    expect(states.at(-1)).toBe('watching');
    await watcher.hear({ type: 'end_talk', from: 't' });
    expect([states.at(-1), shown.at(-1), made[0]!.done.at(-1)]).toEqual(['waiting', undefined, 'closed']);
  });

  it('takes another offer of the session as a renegotiation, of another session as a new start', async () => {
    await offer(7);
    await offer(7);
    expect(made).toHaveLength(1);
    await offer(8);
    expect(made).toHaveLength(2);
    expect(made[0]!.done.at(-1)).toBe('closed');
    // Late news of the old connection count no more.
    made[0]!.become('failed');
    expect(states.at(-1)).toBe('connecting');
  });

  it('tells that there is no place, and asks again after a failure', async () => {
    await watcher.hear({ type: 'bye', from: 't' });
    expect(states.at(-1)).toBe('full');
    watcher.left('t');
    expect(states.at(-1)).toBe('waiting');
    await offer(7);
    types();
    made[0]!.become('failed');
    expect(types()).toEqual(['talk_request']);
    await offer(9);
    watcher.close();
    expect(types()).toEqual(['answer t', 'bye t']);
  });

  const track = (label: string): MediaStreamTrack => new FakeTrack('video', label) as never;
  const labels = (): string[] =>
    shown
      .at(-1)!
      .getTracks()
      .map(({ label }) => label);

  it('says so to the talker, too, where it cannot play what the server sends', async () => {
    watcher.entered({ iceServers: [], iceTransportPolicy: 'all', stream: '/rooms/r', maxHandOn: 0 });
    await watcher.hear({ type: 'spill', from: 't' });
    views[0]!.options.refused();
    expect([states.at(-1), types().at(-1)]).toEqual(['unplayable', 'bye t']);
  });

  it('takes the picture from the server when told to, and directly again without a gap', async () => {
    watcher.entered({ iceServers: [], iceTransportPolicy: 'all', stream: '/rooms/r', maxHandOn: 0 });
    await watcher.hear({ type: 'spill', from: 't' });
    await watcher.hear({ type: 'spill', from: 't' });
    await watcher.hear({ type: 'talk_ready', from: 't' });
    expect(sent.splice(0).at(-1)).toEqual({ type: 'talk_request', spill: 'can' });
    expect(views.map(({ options }) => options.stream)).toEqual(['/rooms/r']);
    views[0]!.options.arrived([track('of the server')]);
    expect([states.at(-1), labels()]).toEqual(['watching server', ['of the server']]);
    await offer(7);
    made[0]!.dispatchEvent(Object.assign(new Event('track'), { track: track('direct') }));
    made[0]!.become('connected');
    // What is seen stays until the other has a picture.
    expect([labels(), views[0]!.closed]).toEqual([['of the server'], false]);
    pictures[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect([labels(), views[0]!.closed, states.at(-1)]).toEqual([['direct'], true, 'watching']);
    expect(shown).toHaveLength(1);
  });

  it('keeps what it shows when the connection fails, and asks for it over the server', async () => {
    watcher.entered({ iceServers: [], iceTransportPolicy: 'all', stream: '/rooms/r', maxHandOn: 0 });
    await offer(7);
    made[0]!.become('connected');
    sent.length = 0;
    made[0]!.become('failed');
    expect(sent).toEqual([{ type: 'talk_request', sendto: 't', spill: 'only' }]);
    expect(shown.at(-1)).toBeDefined();
    await watcher.hear({ type: 'spill', from: 't' });
    views[0]!.options.arrived([track('of the server')]);
    pictures[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect([states.at(-1), labels()]).toEqual(['watching server', ['of the server']]);
    await watcher.hear({ type: 'end_talk', from: 't' });
    expect([views[0]!.closed, shown.at(-1), states.at(-1)]).toEqual([true, undefined, 'waiting']);
  });

  it('takes the picture from another watcher, hands it on, and asks again when that one leaves', async () => {
    watcher.entered({ iceServers: [], iceTransportPolicy: 'all', stream: '/rooms/r', maxHandOn: 2 });
    expect(sent.splice(0).at(-1)).toEqual({ type: 'talk_request', spill: 'can', relays: true });
    await watcher.hear({ type: 'relay', from: 't', parent: 'p' });
    await watcher.hear({ type: 'talk_ready', from: 't' });
    expect(sent).toEqual([]);
    await offer(7, 'p');
    made[0]!.dispatchEvent(Object.assign(new Event('track'), { track: track('handed on') }));
    made[0]!.become('connected');
    expect([types(), labels()]).toEqual([['answer p'], ['handed on']]);
    await watcher.hear({ type: 'relay', from: 't', child: 'c' });
    expect([types(), made[1]!.done]).toEqual([['offer c'], ['audio nothing', 'video handed on']]);
    await watcher.hear({ type: 'answer', from: 'c', sdp: 'v=0' });
    await watcher.hear(candidate('c', 'of c'));
    expect(made[1]!.done.slice(2)).toEqual(['described', 'of c']);
    watcher.left('p');
    // What is below keeps its connection, and gets the new picture over it.
    expect(sent.splice(0)).toEqual([{ type: 'talk_request', sendto: 't', spill: 'can', relays: true }]);
    expect(made[1]!.done).not.toContain('closed');
    await offer(8, 't');
    made[2]!.dispatchEvent(Object.assign(new Event('track'), { track: track('direct') }));
    made[2]!.become('connected');
    pictures[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect([labels(), made[1]!.done.at(-1)]).toEqual([['direct'], 'video direct']);
    expect(shown).toHaveLength(1);
    await watcher.hear({ type: 'end_talk', from: 't' });
    expect(made[1]!.done.at(-1)).toBe('closed');
  });
});
