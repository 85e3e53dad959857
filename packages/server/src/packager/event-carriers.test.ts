import { streamName, type TimedEvent } from '@onair/media';
import { eventOfScript, FlvReader, parseScriptBody } from '@onair/media/flv';
import { eventOfMessage, parseChunks } from '@onair/media/isobmff';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/kit/fake-clock.ts';
import { audioTrack, programme, videoTrack } from '../../../../test/kit/samples.ts';
import {
  DEFAULT_PUMP_POLICY,
  type FanoutContext,
  plainEnvelope,
  type Stream,
  StreamRegistry,
  type ViewerTransport,
} from '../hub/index.ts';
import { cmafPackagerKind } from './cmaf/index.ts';
import { DateRanges } from './hls/date-ranges.ts';
import { interstitialOf, rangeOfEvent } from './hls/event-range.ts';
import { FLV_TAGS, tagPackagerKind } from './tags/index.ts';
import { eventTags } from './ts/event-tags.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const clock = new FakeClock();
const context: FanoutContext = { clock, policy: (windowMs) => ({ ...DEFAULT_PUMP_POLICY, windowMs }) };
const tracks = [videoTrack(), audioTrack()] as const;

function onAir(): { readonly stream: Stream; readonly play: (from: number, seconds: number) => void } {
  const registry = new StreamRegistry({ clock });
  const publication = registry.publish(streamName('live', 'test'), {
    protocol: 'test',
    revoked: () => undefined,
  });
  for (const track of tracks) publication.setTrack(track);
  closers.push(() => registry.close('test over'));
  const play = (from: number, seconds: number): void => {
    for (const sample of programme(...tracks, seconds, 25, from * 1000)) publication.push(sample);
    clock.advance(50);
  };
  play(0, 2);
  return { stream: registry.find(streamName('live', 'test'))!, play };
}

const draft = (id: string, more: Partial<TimedEvent> = {}) => ({ id, name: 'n', data: id, ...more });

/** A viewer of FLV: the events and the times of video tags, in the order in which they come. */
function watchTags(stream: Stream): { readonly seen: string[] } {
  const kind = KIND;
  const reader = new FlvReader();
  const seen: string[] = [];
  let begun = false;
  const transport: ViewerTransport = {
    blocked: false,
    backlog: 0,
    write: (bytes) => {
      if (!begun) reader.push(Uint8Array.of(0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0));
      begun = true;
      reader.push(bytes);
      for (let item = reader.next(); item !== undefined; item = reader.next()) {
        if (item.kind === 'header') continue;
        const { type, timestampMs, body } = item.tag;
        if (type === 'video') seen.push(`v${timestampMs}`);
        if (type !== 'script') continue;
        const event = eventOfScript(parseScriptBody(body));
        if (event !== undefined) seen.push(`${event.id}@${timestampMs}`);
      }
    },
    end: () => undefined,
  };
  const pump = stream
    .packager(kind)
    .fanout.pump({ envelope: plainEnvelope('flv'), tracks: 'all', windowMs: 0 });
  const viewer = pump.join(transport);
  closers.push(() => viewer.close());
  return { seen };
}
const KIND = tagPackagerKind(FLV_TAGS, context);

describe('events in FLV and RTMP', () => {
  it('come in front of the picture they belong to, once for each viewer', () => {
    const { stream, play } = onAir();
    const { seen } = watchTags(stream);
    stream.announce(draft('now'), 's');
    stream.announce(draft('ahead', { time: 2_530_000 }), 's');
    clock.advance(50);
    expect(seen.filter((one) => one.includes('@'))).toEqual([]);
    play(2, 1);
    const [now, ahead] = [seen.indexOf('now@2040'), seen.indexOf('ahead@2560')];
    expect([seen[now + 1], seen[ahead + 1]]).toEqual(['v2040', 'v2560']);
    expect(seen.filter((one) => one.includes('@'))).toHaveLength(2);
  });

  it('are told to those who come while they go on', () => {
    const { stream, play } = onAir();
    const first = watchTags(stream);
    stream.announce(draft('going', { duration: 60_000_000 }), 's');
    stream.announce(draft('moment'), 's');
    play(2, 3);
    const late = watchTags(stream);
    expect(late.seen.filter((one) => one.includes('@'))).toHaveLength(1);
    expect(late.seen[0]).toMatch(/^(v|going@)/);
    play(5, 1);
    for (const { seen } of [first, late]) {
      expect(seen.filter((one) => one.startsWith('going@'))).toHaveLength(1);
    }
    play(6, 60);
    expect(watchTags(stream).seen.filter((one) => one.includes('@'))).toEqual([]);
  });
});

describe('events in CMAF chunks', () => {
  it('are in the next chunk of the leading track, and again at key frames while they stand', () => {
    const { stream, play } = onAir();
    const { log } = stream.packager(cmafPackagerKind());
    const at = log.end;
    stream.announce(draft('going', { duration: 2_500_000, splice: { kind: 'out', section: 'fc0000' } }), 's');
    stream.announce(draft('moment'), 's');
    play(2, 6);
    const found: string[] = [];
    const notices: string[] = [];
    for (let seq = at; seq < log.end; seq++) {
      const { kind, bytes, video, time } = log.at(seq)!;
      if (kind === 'notice') notices.push(JSON.parse(String(Buffer.from(bytes))).id);
      if (kind !== 'media') continue;
      for (const { events } of parseChunks(bytes)) {
        expect(video || events.length === 0).toBe(true);
        for (const message of events)
          found.push(`${eventOfMessage(message)?.id ?? message.scheme} ${time / 1e6}`);
      }
    }
    expect(notices).toEqual(['going', 'moment']);
    const scte = 'urn:scte:scte35:2013:bin';
    expect(found.slice(0, 3)).toEqual(['going 2', `${scte} 2`, 'moment 2']);
    expect(found.slice(3)).toEqual(['going 3', `${scte} 3`, 'going 4', `${scte} 4`]);
  });
});

it('events go as ID3 tags too where that is set', () => {
  const { stream, play } = onAir();
  const { log } = stream.packager(cmafPackagerKind(undefined, () => true));
  const at = log.end;
  stream.announce(draft('moment'), 's');
  play(2, 1);
  const found: string[] = [];
  for (let seq = at; seq < log.end; seq++) {
    if (log.at(seq)!.kind !== 'media') continue;
    for (const { events } of parseChunks(log.at(seq)!.bytes))
      found.push(
        ...events.map(({ scheme, data }) => `${scheme} ${String.fromCharCode(...data.subarray(0, 3))}`),
      );
  }
  expect(found).toEqual(['urn:x-onair:event:1 {"i', 'https://aomedia.org/emsg/ID3 ID3']);
});

it('many large events take turns in being repeated', () => {
  const { stream, play } = onAir();
  const { log } = stream.packager(cmafPackagerKind());
  for (let i = 0; i < 4; i++)
    stream.announce(draft(`${i}`, { duration: 1e9, data: 'x'.repeat(10_000) }), 's');
  play(2, 1);
  const at = log.end;
  play(3, 4);
  const found: string[] = [];
  for (let seq = at; seq < log.end; seq++)
    for (const { events } of parseChunks(log.at(seq)!.bytes))
      found.push(...events.map((e) => eventOfMessage(e)!.id));
  expect(found).toEqual(['0', '1', '2', '3']);
});

describe('events as date ranges and ID3', () => {
  const event: TimedEvent = {
    id: 'e',
    name: 'cm 中',
    time: 1_000_000,
    duration: 2_000_000,
    data: { a: '"' },
  };
  const dateOf = (time: number): number => 1_700_000_000_000 + time / 1000;

  it('tell name, data and place', () => {
    const range = rangeOfEvent(event, dateOf)!;
    expect(range).toMatchObject({ id: 'e', class: 'onair.event', startDate: 1_700_000_001_000, duration: 2 });
    expect(range.client.get('X-ONAIR-NAME')).toBe('"cm 中"');
    const data = range.client.get('X-ONAIR-DATA')!.slice(1, -1);
    expect(JSON.parse(String(Buffer.from(data, 'base64url')))).toEqual({ a: '"' });
    expect(rangeOfEvent({ ...event, data: 'x'.repeat(5000) }, dateOf)!.client.has('X-ONAIR-DATA')).toBe(
      false,
    );
    expect(rangeOfEvent(event, () => undefined)).toBeUndefined();
  });

  it('tell breaks as RFC 8216bis wants them', () => {
    const out = rangeOfEvent({ ...event, splice: { kind: 'out', section: 'fcab' } }, dateOf)!;
    expect([out.plannedDuration, out.duration, out.client.get('SCTE35-OUT')]).toEqual([
      2,
      undefined,
      '0xFCAB',
    ]);
    const back = rangeOfEvent({ ...event, id: 'i', splice: { kind: 'in', section: 'fc', of: 'e' } }, dateOf)!;
    expect([back.id, back.endDate, back.client.get('SCTE35-IN')]).toEqual(['e', 1_700_000_001_000, '0xFC']);
    const command = rangeOfEvent({ ...event, splice: { kind: 'command', section: 'fc' } }, dateOf)!;
    expect(command.client.get('SCTE35-CMD')).toBe('0xFC');
  });

  it('ask for interstitials where their data say so', () => {
    const asks = (interstitial: object) => interstitialOf({ ...event, data: { interstitial } }, dateOf);
    const range = asks({
      uri: 'https://ads.example/1.m3u8',
      resumeOffset: 0,
      playoutLimit: 30.5,
      restrict: ['JUMP', 'SKIP', 'x'],
    })!;
    expect(range).toMatchObject({
      id: 'e.interstitial',
      class: 'com.apple.hls.interstitial',
      startDate: 1_700_000_001_000,
      duration: 2,
    });
    expect([...range.client]).toEqual([
      ['X-ASSET-URI', '"https://ads.example/1.m3u8"'],
      ['X-RESUME-OFFSET', '0'],
      ['X-PLAYOUT-LIMIT', '30.5'],
      ['X-RESTRICT', '"SKIP,JUMP"'],
    ]);
    expect(asks({ list: '/ads/list.json' })!.client.get('X-ASSET-LIST')).toBe('"/ads/list.json"');
    new DateRanges(() => 0).set(range);
    for (const bad of [
      {},
      { uri: 'a', list: 'b' },
      { uri: 'javascript:x' },
      { uri: 'http://a/"' },
      { uri: 5 },
    ])
      expect(asks(bad)).toBeUndefined();
    expect(interstitialOf(event, dateOf)).toBeUndefined();
  });

  it('are sections of SCTE 35 in the stretch they belong to, at the time of the transport stream', () => {
    const { stream } = onAir();
    const section =
      'fc3034000000000000fffff00506fe72bd0050001e021c435545494800008e7fcf0001a599b00808000000002ca0a18a3402009ac9d17e';
    const { time } = stream.announce(draft('cue', { splice: { kind: 'out', section } }), 's');
    const tags = eventTags(stream);
    expect(tags.splices!(0, time)).toEqual([]);
    const [cue] = tags.splices!(time, time + 1);
    const view = new DataView(cue!.buffer, cue!.byteOffset);
    const ticks = view.getUint32(5) + view.getUint32(15) + ((cue![4]! & 1) + (cue![14]! & 1)) * 2 ** 32;
    expect(ticks % 2 ** 33).toBe(900_000 + Math.round(time * 0.09));
  });

  it('are tags in the stretch they belong to', () => {
    const { stream } = onAir();
    stream.announce(draft('big', { data: 'x'.repeat(20_000) }), 's');
    const { time } = stream.announce(draft('small'), 's');
    expect(eventTags(stream).between(0, time)).toEqual([]);
    const [big, small] = eventTags(stream).between(time, time + 1);
    expect(small!.pts).toBe(Math.round((time * 9) / 100));
    expect(String(Buffer.from(small!.tag))).toContain('"data":"small"');
    expect(String(Buffer.from(big!.tag))).toContain('"cut":true');
  });
});
