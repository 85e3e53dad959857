import type { RoomMessage } from '@onair/contracts/rooms';
import { beforeEach, expect, it } from 'vitest';
import { Asides } from './asides.ts';
import type { RoomLink } from './room-link.ts';

/** One end of a channel; what is sent comes out at the other. */
class FakeChannel extends EventTarget {
  readonly label: string;
  readyState: RTCDataChannelState = 'open';
  binaryType = 'blob';
  other: FakeChannel | undefined;

  constructor(label: string) {
    super();
    this.label = label;
  }

  send(data: string): void {
    queueMicrotask(() => this.other?.dispatchEvent(Object.assign(new Event('message'), { data })));
  }

  close(): void {
    this.readyState = 'closed';
  }
}

class FakePeer extends EventTarget {
  other: FakePeer | undefined;

  createDataChannel(label: string): FakeChannel {
    const [mine, its] = [new FakeChannel(label), new FakeChannel(label)];
    [mine.other, its.other] = [its, mine];
    queueMicrotask(() =>
      this.other?.dispatchEvent(Object.assign(new Event('datachannel'), { channel: its })),
    );
    return mine;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
let heard: string[];
let sent: string[];
let members: Map<string, Asides>;

function member(id: string, talks = false, hasOthers = () => false): Asides {
  const link: RoomLink = {
    connected: true,
    stage: () => {},
    close: () => {},
    send: (message: RoomMessage) => {
      sent.push(`${id} ${message.type}`);
      for (const [other, asides] of members) {
        if (other !== id && (message.sendto ?? other) === other) asides.hear({ ...message, from: id });
      }
    },
  };
  const asides = new Asides({
    link,
    talks,
    hasOthers,
    said: ({ text, name, own }) => void heard.push(`${id}: ${own ? 'own ' : ''}${name ?? 'guest'} ${text}`),
    reacted: (sign) => void heard.push(`${id}: ${sign}`),
    files: () => {},
  });
  members.set(id, asides);
  return asides;
}

/** Joins a watcher with the talker. */
function joined(talk: Asides, watch: Asides, id: string): void {
  const [a, b] = [new FakePeer(), new FakePeer()];
  [a.other, b.other] = [b, a];
  watch.attach('t', b as unknown as RTCPeerConnection);
  talk.attach(id, a as unknown as RTCPeerConnection);
}

beforeEach(() => {
  heard = [];
  sent = [];
  members = new Map();
});

it('go over channels where there are some, and over the server to the others, once each', async () => {
  const talk = member('t', true, () => true);
  const [near, next, far] = ['near', 'next', 'far'].map((id) => member(id)) as [Asides, Asides, Asides];
  joined(talk, near, 'near');
  joined(talk, next, 'next');
  await settled();
  for (const watch of [near, next, far]) watch.hear({ type: 'talk_ready', from: 't' });
  near.chat('hello', 'Aki');
  await settled();
  expect(heard.sort()).toEqual(['far: Aki hello', 'near: own Aki hello', 'next: Aki hello', 't: Aki hello']);
  expect(sent).toEqual(['t chat']);
  heard.length = 0;
  far.chat('from afar', undefined);
  talk.react('🎉');
  await settled();
  expect(heard.filter((line) => line.includes('afar'))).toHaveLength(4);
  expect(heard.filter((line) => line.includes('🎉'))).toHaveLength(4);
});

it('need no talker to chat, but one for files', async () => {
  const [one, other] = [member('one'), member('other')];
  one.chat('anybody here?', '');
  expect(heard).toContain('other: guest anybody here?');
  expect(one.offer(new File(['x'], 'x'), 'ordered')).toBe(false);
  other.hear({ type: 'talk_ready', from: 't' });
  expect(other.offer(new File(['x'], 'x'), 'ordered')).toBe(true);
  other.left('t');
  expect(other.offer(new File(['x'], 'x'), 'ordered')).toBe(false);
});

it('pass over what is malformed, and who says too much', async () => {
  const talk = member('t', true);
  const watch = member('w');
  const peer = new FakePeer();
  talk.attach('w', peer as unknown as RTCPeerConnection);
  const channel = new FakeChannel('chat');
  peer.dispatchEvent(Object.assign(new Event('datachannel'), { channel }));
  const say = (data: unknown): boolean =>
    channel.dispatchEvent(Object.assign(new Event('message'), { data }));
  for (const odd of ['', '{', '[]', 'null', '{"type":"offer"}', new ArrayBuffer(8), 'x'.repeat(20_000)])
    say(odd);
  expect(heard).toEqual([]);
  for (let n = 0; n < 200; n++) say(JSON.stringify({ type: 'reaction', id: `sign${1000 + n}`, sign: '👍' }));
  expect(heard.length).toBeLessThanOrEqual(80);
  const strange = new FakeChannel('strange');
  peer.dispatchEvent(Object.assign(new Event('datachannel'), { channel: strange }));
  expect(strange.readyState).toBe('closed');
  watch.close();
});
