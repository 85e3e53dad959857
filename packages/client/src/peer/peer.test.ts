import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Peer, type PeerCall, type PeerOptions } from './index.ts';
import type { PeerSocketPort } from './peer.ts';

/** A connection of the browser that knows only what its test tells it. */
class FakeConnection extends EventTarget {
  connectionState: RTCPeerConnectionState = 'new';
  localDescription: { type: string; sdp: string } | null = null;
  remote: string | undefined;
  restarts = 0;
  failing = false;
  readonly transceivers: {
    kind: string;
    direction: string;
    sender: { replaceTrack(track: { kind: string } | null): Promise<void>; setStreams(): void };
    receiver: { track: { kind: string } };
  }[] = [];
  readonly sent: string[] = [];

  addTransceiver(track: string | { kind: string }, { direction }: { direction: string }): void {
    const kind = typeof track === 'string' ? track : track.kind;
    const replaceTrack = async (next: { kind: string } | null) =>
      void this.sent.push(next?.kind ?? 'nothing');
    this.transceivers.push({
      kind,
      direction,
      sender: { replaceTrack, setStreams: () => undefined },
      receiver: { track: { kind } },
    });
  }
  getTransceivers() {
    return this.transceivers;
  }
  async setLocalDescription(): Promise<void> {
    const type = this.remote?.startsWith('offer') === true ? 'answer' : 'offer';
    this.localDescription = { type, sdp: `${type} ${this.restarts}` };
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (this.failing) throw new Error('no');
    this.remote = sdp;
    if (this.transceivers.length === 0) this.addTransceiver('video', { direction: 'recvonly' });
  }
  async addIceCandidate(): Promise<void> {}
  restartIce(): void {
    this.restarts++;
  }
  close(): void {
    this.connectionState = 'closed';
  }
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
  picture(): MediaStream {
    const streams = [{ id: 'remote' }];
    this.dispatchEvent(Object.assign(new Event('track'), { streams }));
    return streams[0] as MediaStream;
  }
}

const made: FakeConnection[] = [];
let sockets: (PeerSocketPort & { readonly said: Record<string, unknown>[]; hear(what: object): void })[] = [];
const options: PeerOptions = {
  server: 'https://example.org/',
  peers: () => {
    const next = new FakeConnection();
    made.push(next);
    return next as unknown as RTCPeerConnection;
  },
  connect: (url, protocol) => {
    expect([url, protocol]).toEqual(['wss://example.org/peers', 'onair.peer.v1']);
    const said: Record<string, unknown>[] = [];
    const port = {
      onopen: null,
      onmessage: null,
      onclose: null,
      said,
      send: (text: string) => void said.push(JSON.parse(text)),
      close: () => undefined,
      hear: (what: object) => (port as PeerSocketPort).onmessage?.({ data: JSON.stringify(what) }),
    };
    sockets.push(port);
    return port;
  },
};
const media = { getTracks: () => [{ kind: 'video' }] } as unknown as MediaStream;

function open(id?: string): Peer {
  const peer = new Peer(id, options);
  welcome(peer);
  return peer;
}
function welcome(peer: Peer): void {
  sockets.at(-1)!.onopen!();
  sockets.at(-1)!.hear({ type: 'ready', id: peer.id, iceServers: [], iceTransportPolicy: 'all' });
}
const settle = () => vi.advanceTimersByTimeAsync(0);
const types = (): string[] =>
  sockets
    .at(-1)!
    .said.splice(0)
    .map(({ type, to }) => [type, to].filter(Boolean).join(' '));

beforeEach(() => {
  vi.useFakeTimers();
  made.length = 0;
  sockets = [];
});
afterEach(() => vi.useRealTimers());

describe('a peer', () => {
  it('claims its id, again after a loss, and keeps what it had to say till then', async () => {
    const peer = new Peer('me', options);
    const told: string[] = [];
    peer.on('open', (id) => told.push(`open ${id}`));
    peer.on('lost', () => told.push('lost'));
    peer.call('you', media);
    await settle();
    expect(types()).toEqual([]);
    welcome(peer);
    const [claim] = sockets[0]!.said;
    expect(claim).toMatchObject({ type: 'claim', id: 'me' });
    expect(types()).toEqual(['claim', 'offer you']);
    sockets[0]!.onclose!({ code: 1006 });
    await vi.advanceTimersByTimeAsync(1000);
    welcome(peer);
    expect(sockets[1]!.said[0]).toEqual(claim);
    expect(told).toEqual(['open me', 'lost', 'open me']);
    expect(peer.calls).toHaveLength(1);
  });

  it('is over when its id is another’s, or another page goes on with it', async () => {
    const why: string[] = [];
    for (const end of [
      () => sockets.at(-1)!.hear({ type: 'error', code: 'PEER_ID_TAKEN', detail: 'no' }),
      () => sockets.at(-1)!.onclose!({ code: 4000 }),
    ]) {
      open('me').on('error', ({ code }) => why.push(code));
      end();
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect([why, sockets.length]).toEqual([['PEER_ID_TAKEN', 'REPLACED'], 2]);
  });

  it('makes up an id of its own', () => {
    expect(open().id).toMatch(/^[\w-]{22}$/);
  });
});

describe('a call', () => {
  it('shows the other one’s picture once it flows, and ends with a word', async () => {
    const call = open().call('you');
    const seen: unknown[] = [];
    call.on('stream', (stream) => seen.push(stream));
    call.on('end', (reason) => seen.push(reason));
    await settle();
    expect(types()).toEqual(['claim', 'offer you']);
    sockets[0]!.hear({ type: 'answer', call: call.id, sdp: 'answer', from: 'you' });
    sockets[0]!.hear({ type: 'bye', call: call.id, from: 'stranger' });
    await settle();
    const picture = made[0]!.picture();
    expect(seen).toEqual([]);
    made[0]!.become('connected');
    expect([seen, call.state]).toEqual([[picture], 'connected']);
    call.close();
    call.close();
    expect([types(), seen.at(-1), call.state]).toEqual([['bye you'], 'closed', 'ended']);
  });

  it('is answered with a stream or without; nobody else takes part; without a listener it is declined', async () => {
    const peer = open();
    types();
    const ring = (call: string): void => sockets[0]!.hear({ type: 'offer', call, sdp: 'offer', from: 'you' });
    ring('a');
    expect(types()).toEqual(['bye you']);
    const calls: PeerCall[] = [];
    const stop = peer.on('call', (call) => calls.push(call));
    ring('b');
    await settle();
    expect(made.at(-1)!.remote).toBeUndefined();
    calls[0]!.answer(media);
    await settle();
    expect([types(), made.at(-1)!.sent]).toEqual([['answer you'], ['video']]);
    await calls[0]!.replace({ getTracks: () => [] } as unknown as MediaStream);
    expect(made.at(-1)!.sent).toEqual(['video', 'nothing']);
    sockets[0]!.hear({ type: 'offer', call: 'b', sdp: 'offer again', from: 'you' });
    await settle();
    expect([types(), made.at(-1)!.remote]).toEqual([['answer you'], 'offer again']);
    for (let n = 0; n < 40; n++) ring(`more-${n}`);
    expect([peer.calls.length, calls.length, types().length]).toEqual([32, 32, 9]);
    stop();
  });

  it('looks for another way when it breaks, and ends when there is none', async () => {
    const call = open().call('you', media);
    await settle();
    made[0]!.become('connected');
    types();
    made[0]!.become('disconnected');
    expect([call.state, types()]).toEqual(['broken', []]);
    await vi.advanceTimersByTimeAsync(2_100);
    expect([types(), made[0]!.restarts]).toEqual([['offer you'], 1]);
    made[0]!.become('connected');
    expect(call.state).toBe('connected');
    made[0]!.become('failed');
    await settle();
    expect(types()).toEqual(['offer you']);
    let why = '';
    call.on('end', (reason) => {
      why = reason;
    });
    await vi.advanceTimersByTimeAsync(40_000);
    expect([why, made[0]!.connectionState]).toEqual(['lost', 'closed']);
  });

  it('ends when nobody is there, nobody answers, or the browser cannot', async () => {
    const peer = open();
    const why: string[] = [];
    const call = (): PeerCall => {
      const made = peer.call('you');
      made.on('end', (reason) => why.push(reason));
      return made;
    };
    call();
    sockets[0]!.hear({ type: 'absent', id: 'you' });
    call();
    await vi.advanceTimersByTimeAsync(31_000);
    const third = call();
    made.at(-1)!.failing = true;
    sockets[0]!.hear({ type: 'answer', call: third.id, sdp: 'x', from: 'you' });
    await settle();
    expect([why, peer.calls]).toEqual([['absent', 'lost', 'refused'], []]);
  });
});

it('the example of its page works, and is short', async () => {
  const page = readFileSync(new URL('../../../../docs/protocols/peers.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThan(10);
  class OurPeer extends Peer {
    constructor(id: string) {
      super(id, options);
    }
  }
  const video = { srcObject: undefined };
  const example = new Function('Peer', 'stream', 'video', code.replace(/^import .*$/m, ''));
  example(OurPeer, media, video);
  sockets[0]!.onopen!();
  sockets[0]!.hear({ type: 'ready', id: 'reporter-7', iceServers: [], iceTransportPolicy: 'all' });
  sockets[0]!.hear({ type: 'offer', call: 'c', sdp: 'offer', from: 'somebody' });
  await settle();
  expect(types()).toEqual(['claim', 'offer recorder-3', 'answer somebody']);
  const picture = made[0]!.picture();
  made[0]!.become('connected');
  expect(video.srcObject).toBe(picture);
});
