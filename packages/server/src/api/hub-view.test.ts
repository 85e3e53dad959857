import { decodeSessionInfo, decodeStreamInfo } from '@onair/contracts';
import { streamName } from '@onair/media';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import { type SessionFigures, SessionTable, StreamRegistry } from '../hub/index.ts';
import { figuresSource, sessionService, streamService } from './index.ts';

const NAME = streamName('live', 'test');

function setUp() {
  const clock = new FakeClock();
  const registry = new StreamRegistry({ clock });
  let count = 0;
  const sessions = new SessionTable(
    () => clock.wall(),
    () => `s${++count}`,
  );
  const ended: string[] = [];
  const join = (kind: 'publisher' | 'viewer', protocol: string, figures: SessionFigures) =>
    sessions.add({
      kind,
      protocol,
      stream: NAME,
      address: '192.0.2.1',
      figures: () => figures,
      close: (reason) => ended.push(`${protocol}: ${reason}`),
    });
  const publication = registry.publish(NAME, { protocol: 'rtmp', revoked: (reason) => ended.push(reason) });
  const video = videoTrack();
  const audio = audioTrack();
  for (const track of [video, audio]) publication.setTrack(track);
  for (const sample of programme(video, audio, 1)) publication.push(sample);
  const sources = { clock, registry, sessions };
  return {
    clock,
    ended,
    join,
    publication,
    streams: streamService(sources),
    sessions: sessionService(sessions),
    sources,
  };
}

it('a stream is shown as the hub has it, viewers that left included in the sums', () => {
  const { clock, join, publication, streams, sources } = setUp();
  join('publisher', 'rtmp', { bytes: 500, skips: 0, dropped: 2, backlog: 0 });
  join('viewer', 'rtmp', { bytes: 10, skips: 0, dropped: 0, backlog: 0 });
  const gone = join('viewer', 'ws-fmp4', { bytes: 100, skips: 1, dropped: 5, backlog: 0 });
  join('viewer', 'ws-fmp4', { bytes: 20, skips: 0, dropped: 0, backlog: 3 });
  gone.remove();
  const shown = streams.find(NAME)!;
  expect(decodeStreamInfo(JSON.parse(JSON.stringify(shown)))).toEqual(shown);
  expect(shown).toMatchObject({
    name: 'live/test',
    state: 'live',
    publisher: { session: 's1', protocol: 'rtmp', address: '192.0.2.1' },
    tracks: [
      { kind: 'video', codec: 'h264', width: 640 },
      { kind: 'audio', codec: 'aac', sampleRate: 48_000 },
    ],
    viewers: 2,
    viewersByTransport: { rtmp: 1, 'ws-fmp4': 1 },
    bytesOut: 130,
    epoch: 1,
  });
  expect(streams.list()).toEqual([shown]);
  expect([...figuresSource(sources).streams()]).toMatchObject([
    {
      name: 'live/test',
      live: true,
      droppedIn: 2,
      transports: [
        { transport: 'ws-fmp4', viewers: 1, bytesOut: 120, skips: 1, dropped: 5 },
        { transport: 'rtmp', viewers: 1, bytesOut: 10 },
      ],
    },
  ]);
  publication.close('encoder stopped');
  expect(streams.find(NAME)).toMatchObject({ state: 'waiting', reconnectDeadline: clock.wall() + 30_000 });
});

it('publishers and sessions are ended by the operator', () => {
  const { ended, join, streams, sessions } = setUp();
  const viewer = join('viewer', 'http-flv', { bytes: 7, skips: 0, dropped: 0, backlog: 9 });
  const shown = sessions.find(viewer.id)!;
  expect(decodeSessionInfo(JSON.parse(JSON.stringify(shown)))).toEqual(shown);
  expect(shown).toMatchObject({ kind: 'viewer', bytes: 7, backlogBytes: 9 });
  expect([sessions.kick(viewer.id, 'out'), sessions.kick('none', 'out')]).toEqual([true, false]);
  expect([streams.kick(NAME, 'enough'), streams.kick(streamName('live', 'none'), 'enough')]).toEqual([
    true,
    false,
  ]);
  expect(ended).toEqual(['http-flv: out', 'enough']);
});

it('changes of the hub are passed on', () => {
  const { streams, publication } = setUp();
  let changes = 0;
  const stop = streams.onChange(() => {
    changes++;
  });
  publication.close('gone');
  expect(changes).toBeGreaterThan(0);
  const before = changes;
  stop();
  streams.kick(NAME, 'x');
  expect(changes).toBe(before);
});
