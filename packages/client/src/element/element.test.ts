import { afterEach, describe, expect, it, vi } from 'vitest';
import { firstTransport, parseControls, parseLatency, parseTransport } from './attributes.ts';
import { keyAction } from './keyboard.ts';
import { niceTop, sparkline } from './sparkline.ts';
import { bitrate, statLines } from './stats-panel.ts';
import { pickLanguage, speaker } from './words.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('attributes', () => {
  it('take what is known, in any case', () => {
    expect(parseTransport('LLHLS')).toBe('llhls');
    expect(parseTransport(null)).toBe('auto');
    expect(parseLatency(' balanced ')).toBe('balanced');
    expect(parseLatency('realtime')).toBe('lowest');
    expect(firstTransport('auto', 'Realtime')).toBe('whep');
    expect(firstTransport('auto', 'lowest')).toBe('auto');
    expect(firstTransport('hls', 'realtime')).toBe('hls');
    expect([parseControls(null), parseControls(''), parseControls('off')]).toEqual([true, true, false]);
  });

  it('warn of wrong values and fall back', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(parseTransport('carrier-pigeon')).toBe('auto');
    expect(parseLatency('0.2')).toBe('lowest');
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      '<onair-player transport="carrier-pigeon">: expected one of auto, ws, relay, llhls, hls, flv, whep; auto is used instead',
      '<onair-player latency="0.2">: expected one of lowest, balanced, smoothest, realtime; lowest is used instead',
    ]);
  });
});

describe('keyboard', () => {
  const plain = { altKey: false, ctrlKey: false, metaKey: false };
  it.each([
    [' ', { kind: 'toggle-play' }],
    ['K', { kind: 'toggle-play' }],
    ['j', { kind: 'seek', seconds: -10 }],
    ['l', { kind: 'seek', seconds: 10 }],
    ['ArrowLeft', { kind: 'seek', seconds: -5 }],
    ['ArrowUp', { kind: 'volume', step: 0.05 }],
    ['m', { kind: 'toggle-mute' }],
    ['f', { kind: 'toggle-fullscreen' }],
    ['Home', { kind: 'go-back' }],
    ['End', { kind: 'go-live' }],
    ['s', { kind: 'toggle-stats' }],
    ['?', { kind: 'toggle-keys' }],
    ['x', undefined],
  ])('%j does %j', (key, action) => {
    expect(keyAction({ key, ...plain })).toEqual(action);
  });

  it('leaves the browser’s own shortcuts alone', () => {
    expect(keyAction({ key: 'f', ...plain, ctrlKey: true })).toBeUndefined();
  });
});

describe('words', () => {
  it('speak the first known language', () => {
    expect(pickLanguage(['', 'fr-FR', 'zh-Hant-TW', 'en'])).toBe('zh');
    expect(pickLanguage(['ja-JP'])).toBe('ja');
    expect(pickLanguage([])).toBe('en');
  });

  it('fill in names', () => {
    expect(speaker('ja')('waiting', { name: 'live/放送' })).toBe('live/放送 の開始を待っています…');
    expect(speaker('en')('secondsLeft', { seconds: '7' })).toBe('7 s left');
  });

  it('leave no placeholder of one language out of another', () => {
    const names = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const word of ['waiting', 'secondsLeft', 'retryIn', 'autoUses', 'fellBack'] as const) {
      for (const language of ['ja', 'zh'] as const) {
        expect(names(speaker(language)(word))).toEqual(names(speaker('en')(word)));
      }
    }
  });
});

describe('statistics', () => {
  it('are plotted with gaps where nothing was known, the newest at the right', () => {
    const { line, area, top } = sparkline([0.5, 1, undefined, 0.25], 4, 90, 40);
    expect(top).toBe(1);
    expect(line).toBe('M0 20L30 0M90 30');
    expect(area).toBe('M0 20L30 0L30 40L0 40ZM90 30L90 40L90 40Z');
    expect(sparkline([], 60, 100, 40).line).toBe('');
  });

  it('have round scales', () => {
    expect([0, 0.4, 0.6, 1.5, 3, 7, 30, 99].map(niceTop)).toEqual([0.5, 0.5, 1, 2, 5, 10, 50, 100]);
  });

  it('are told in words and units', () => {
    const figures = {
      transport: 'ws' as const,
      latency: 0.312,
      ahead: 0.2,
      bitrate: 1_234_567,
      codecs: 'avc1.64001f, mp4a.40.2',
      reconnects: 1,
      skipped: 0,
      stalls: 2,
      clockOffset: undefined,
      width: 1280,
      height: 720,
      decoded: 200,
      dropped: 3,
      rate: 1.02,
    };
    const told = (more: object): Record<string, string> =>
      Object.fromEntries(
        statLines({ ...figures, ...more }, speaker('en')).map(({ word, value }) => [word, value]),
      );
    expect(told({})).toMatchObject({
      statTransport: 'WebSocket',
      statLatency: '0.31 s',
      statDropped: '3 / 200 (1.5 %)',
      statBitrate: '1.23 Mbit/s',
      statResolution: '1280 × 720',
      statSpeed: '1.02 ×',
    });
    expect(told({})).not.toHaveProperty('statPeers');
    expect(told({ transport: 'relay', peerShare: 0.874, peerBytesSent: 2_340_000 })).toMatchObject({
      statPeers: '87 %',
      statPeersSent: '2.3 MB',
    });
    expect(bitrate(64_400)).toBe('64 kbit/s');
  });
});
