import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFmp4ClientText,
  decodeFmp4Message,
  decodeFmp4ServerText,
  encodeFmp4Json,
  FMP4_HEADER_LENGTH,
  FMP4_TYPE,
  type Fmp4Header,
  Fmp4SocketError,
  writeFmp4Header,
} from './index.ts';

const header: Fmp4Header = {
  type: FMP4_TYPE.chunk,
  independent: true,
  discontinuity: false,
  track: 1,
  epoch: 7,
  sequence: 2 ** 40 + 5,
  time: 2 ** 45 + 3,
  duration: 33_333,
  compositionOffset: -66_667,
  wallClock: 1_700_000_000_123_456,
};

describe('fMP4 socket messages', () => {
  it('writes the documented layout and reads it back', () => {
    const bytes = new Uint8Array(FMP4_HEADER_LENGTH + 3);
    writeFmp4Header(bytes, 0, header);
    bytes.set([1, 2, 3], FMP4_HEADER_LENGTH);
    expect([...bytes.subarray(0, 8)]).toEqual([2, 1, 1, 40, 0, 0, 0, 7]);
    expect([...bytes.subarray(8, 16)]).toEqual([0, 0, 1, 0, 0, 0, 0, 5]);
    expect([...bytes.subarray(28, 32)]).toEqual([0xff, 0xfe, 0xfb, 0x95]);
    const message = decodeFmp4Message(bytes);
    expect(message.kind).toBe('chunk');
    expect(message.header).toEqual(header);
    if (message.kind === 'chunk') expect([...message.payload]).toEqual([1, 2, 3]);
  });

  it('carries epochs and states as JSON', () => {
    const epoch = {
      epoch: 2,
      tracks: [
        {
          id: 2,
          kind: 'audio',
          codec: 'aac',
          codecString: 'mp4a.40.2',
          mime: 'audio/mp4',
          sampleRate: 48000,
          channels: 2,
        },
      ],
    };
    expect(decodeFmp4Message(encodeFmp4Json({ ...header, type: FMP4_TYPE.epoch }, epoch))).toMatchObject({
      kind: 'epoch',
      epoch,
    });
    const state = { state: 'waiting', until: 5 };
    expect(decodeFmp4Message(encodeFmp4Json({ ...header, type: FMP4_TYPE.state }, state))).toMatchObject({
      kind: 'state',
      state,
    });
  });

  it('skips what a longer header appends', () => {
    const bytes = new Uint8Array(FMP4_HEADER_LENGTH + 5);
    writeFmp4Header(bytes, 0, header);
    bytes[3] = FMP4_HEADER_LENGTH + 4;
    bytes[FMP4_HEADER_LENGTH + 4] = 9;
    const message = decodeFmp4Message(bytes);
    expect(message.kind === 'chunk' && [...message.payload]).toEqual([9]);
  });

  it('never throws anything but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeFmp4Message(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fmp4SocketError);
        }
      }),
    );
    for (const text of [
      '',
      '[]',
      'null',
      '{"type":"hello"}',
      '{"type":"ping"}',
      '{"type":"ping","id":"x"}',
    ]) {
      expect(() => decodeFmp4ServerText(text)).toThrow(Fmp4SocketError);
      expect(() => decodeFmp4ClientText(text)).toThrow(Fmp4SocketError);
    }
  });

  it('reads the text messages', () => {
    expect(decodeFmp4ClientText('{"type":"ping","id":3}')).toEqual({ type: 'ping', id: 3 });
    expect(
      decodeFmp4ServerText(
        '{"type":"hello","protocol":"onair.fmp4.v1","stream":"live/a","state":"idle","now":1}',
      ),
    ).toEqual({ type: 'hello', protocol: 'onair.fmp4.v1', stream: 'live/a', state: 'idle', now: 1 });
  });
});
