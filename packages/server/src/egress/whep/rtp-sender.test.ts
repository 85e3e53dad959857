import { parseRtp, type RtpPacket, readRtx } from '@onair/media/rtp';
import { expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/kit/fake-clock.ts';
import { EPOCH_RECORD, writeRecord } from '../../packager/rtp/index.ts';
import { RtpSender, type RtpSenderOptions } from './rtp-sender.ts';

function setUp(live: number, video = true, more: Partial<RtpSenderOptions> = {}) {
  const clock = new FakeClock();
  const sent: RtpPacket[] = [];
  const told: string[] = [];
  const extended: boolean[] = [];
  const sender = new RtpSender(
    {
      payloadType: 102,
      ssrc: 7,
      video,
      send: (packet) => {
        sent.push(parseRtp(Uint8Array.from(packet)));
        extended.push((packet[0]! & 0x10) !== 0);
        return true;
      },
      after: (ms, callback) => clock.after(ms, callback),
      drained: () => told.push('drained'),
      epoch: () => told.push('epoch'),
      ended: (reason) => told.push(reason),
      ...more,
    },
    live,
    65_530,
  );
  const frame = (timestamp: number, packets = 1, key = false): Uint8Array => {
    const payloads = Array.from({ length: packets }, (_, i) => Uint8Array.of(i, timestamp & 0xff));
    return writeRecord({ video, keyframe: key }, timestamp, payloads);
  };
  return { clock, sent, told, extended, sender, frame };
}

it('numbers packets, marks the last of a picture, and puts the past close together', () => {
  const { sender, sent, frame } = setUp(900_000);
  for (let i = 0; i < 10; i++) sender.write(frame(900_000 - 3000 * (10 - i), 2, i === 0));
  sender.write(frame(900_000));
  sender.write(frame(903_000));
  expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, i) => (65_530 + i) & 0xffff));
  expect(sent.slice(0, 4).map(({ marker }) => marker)).toEqual([false, true, false, true]);
  const times = sent.map(({ timestamp }) => timestamp);
  expect(times[0]).toBe(900_000 - 300);
  expect(times.at(-2)).toBe(900_000);
  expect(times.at(-1)).toBe(903_000);
  for (let i = 1; i < times.length; i++) expect(times[i]!).toBeGreaterThanOrEqual(times[i - 1]!);
});

it('goes on behind what was sent when the pictures of the past come again', () => {
  const { sender, sent, frame } = setUp(0);
  for (let i = 0; i < 5; i++) sender.write(frame(3000 * i));
  sender.restart(12_000);
  for (let i = 1; i < 6; i++) sender.write(frame(3000 * i));
  const times = sent.map(({ timestamp }) => timestamp);
  expect(times.at(-1)).toBe(15_000);
  for (let i = 1; i < times.length - 1; i++) expect(times[i]!).toBeGreaterThanOrEqual(times[i - 1]!);
});

it('carries on across the wrap of the clock', () => {
  const live = 2 ** 32 - 3000;
  const { sender, sent, frame } = setUp(live);
  for (let i = 0; i < 4; i++) sender.write(frame(live + 3000 * i));
  expect(sent.map(({ timestamp }) => timestamp)).toEqual([live, 0, 3000, 6000]);
});

it('leaves sound of the past out', () => {
  const { sender, sent, frame } = setUp(48_000, false);
  sender.write(frame(47_000));
  sender.write(frame(48_960));
  expect(sent.map(({ timestamp }) => timestamp)).toEqual([48_960]);
});

it('sends many packets bit by bit and says when it is done', () => {
  const { sender, sent, told, clock, frame } = setUp(0);
  sender.write(frame(0, 200, true));
  expect(sent.length).toBeLessThan(60);
  expect(sender.blocked).toBe(true);
  expect(sender.backlog).toBeGreaterThan(0);
  clock.advance(100);
  expect(sent).toHaveLength(200);
  expect(sender.blocked).toBe(false);
  expect(told).toEqual(['drained']);
});

it('sends again what is asked for, as long as it remembers', () => {
  const { sender, sent, clock, frame } = setUp(0);
  for (let i = 0; i < 1100; i++) sender.write(frame(3000 * i));
  clock.advance(1000);
  const { length } = sent;
  const wanted = sent.at(-3)!;
  sender.resend(wanted.sequence);
  expect(sent.at(-1)).toEqual(wanted);
  sender.resend(sent[0]!.sequence);
  sender.resend(12_345);
  expect(sent).toHaveLength(length + 1);
});

it('sends again on a source of its own where the viewer has one, RFC 4588', () => {
  const { sender, sent, extended, frame } = setUp(0, true, {
    playoutDelay: { id: 5, minMs: 60 },
    rtx: { payloadType: 103, ssrc: 8 },
  });
  for (let i = 0; i < 4; i++) sender.write(frame(3000 * i, 2, i === 0));
  const first = sent.slice(0, 8);
  for (const { sequence } of first) sender.resend(sequence);
  sender.write(frame(12_000));
  const again = sent.slice(8, 16);
  expect(again.map(({ payloadType, ssrc }) => [payloadType, ssrc])).toEqual(Array(8).fill([103, 8]));
  again.forEach(({ sequence }, i) => {
    expect(sequence).toBe((again[0]!.sequence + i) & 0xffff);
  });
  expect(again.map((packet) => readRtx(packet, 102, 7))).toEqual(first);
  expect(extended.slice(8, 16)).toEqual(extended.slice(0, 8));
  // The pictures' own numbers go on.
  expect(sent.at(-1)).toMatchObject({ ssrc: 7, sequence: (first.at(-1)!.sequence + 1) & 0xffff });
});

it('tells of other parameters and of the end', () => {
  const { sender, told } = setUp(0);
  sender.write(EPOCH_RECORD);
  sender.end('stream-ended');
  expect(told).toEqual(['epoch', 'stream-ended']);
});

it('asks the viewer not to hold pictures back, with the first packet of each', () => {
  const { sender, sent, extended, frame } = setUp(0, true, { playoutDelay: { id: 5, minMs: 60 } });
  sender.write(frame(0, 3, true));
  sender.write(frame(3000, 2));
  expect(extended).toEqual([true, false, false, true, false]);
  expect(sent.map(({ payload }) => payload[0])).toEqual([0, 1, 2, 0, 1]);
});
