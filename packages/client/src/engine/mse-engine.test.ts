import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeMedia, FakePlatform, fakeMedia } from '../../../../test/kit/fake-media.ts';
import { MseEngine } from './mse-engine.ts';
import type { EngineTrack } from './track-buffer.ts';

const VIDEO: EngineTrack = { id: 1, kind: 'video', mime: 'video/mp4; codecs="avc1.64001f"' };
const AUDIO: EngineTrack = { id: 2, kind: 'audio', mime: 'audio/mp4; codecs="mp4a.40.2"' };

interface Rig {
  readonly engine: MseEngine;
  readonly media: FakeMedia;
  readonly platform: FakePlatform;
  readonly told: string[];
  /** Feeds `seconds` of live media in real (fake) time. */
  live(seconds: number, options?: { kinds?: readonly EngineTrack[]; lag?: number }): Promise<void>;
  at: number;
}

function rig(
  latency: 'lowest' | 'balanced' = 'lowest',
  tracks: readonly EngineTrack[] = [VIDEO, AUDIO],
): Rig {
  const platform = new FakePlatform();
  const media = new FakeMedia(platform);
  const told: string[] = [];
  const engine = new MseEngine(media, platform, latency, {
    replaced: () => told.push('replaced'),
    resync: (reason) => told.push(`resync: ${reason}`),
    wantsMedia: (wanted) => told.push(`wants ${wanted}`),
    failed: (error) => told.push(`failed: ${error.message}`),
  });
  engine.configure(tracks);
  for (const { id } of tracks) engine.init(id, new Uint8Array(8));
  const self: Rig = {
    engine,
    media,
    platform,
    told,
    at: 100,
    async live(seconds, { kinds = tracks, lag = 0 } = {}) {
      for (let t = 0; t < seconds - 1e-9; t += 0.05) {
        await vi.advanceTimersByTimeAsync(50);
        for (const { id } of kinds) push(self, id, self.at - lag, 0.05);
        self.at += 0.05;
      }
    },
  };
  return self;
}

function push({ engine }: Rig, track: number, start: number, duration: number, entry = true): void {
  engine.append({ track, bytes: fakeMedia(start, start + duration), start, duration, entry });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('MSE engine', () => {
  it('plays from where the media begins and keeps close to the edge', async () => {
    const r = rig();
    await r.live(10);
    expect(r.media.currentTime).toBeGreaterThan(109);
    expect(r.at - r.media.currentTime).toBeLessThan(0.4);
    expect(r.engine.figures.stalls.count).toBe(0);
    expect(r.media.preservesPitch).toBe(true);
    expect(r.told).toEqual(['replaced']);
    r.engine.close();
  });

  it('begins at the live edge when a join brings a whole group of pictures at once', async () => {
    const r = rig();
    for (let i = 0; i < 40; i++) {
      push(r, 1, r.at, 0.05, i === 0);
      push(r, 2, r.at, 0.05);
      r.at += 0.05;
    }
    await r.live(2);
    expect(r.at - r.media.currentTime).toBeLessThan(0.5);
    expect(r.media.seeks.length).toBeLessThanOrEqual(2);
    r.engine.close();
  });

  it('leaves out pictures until one that can be decoded', async () => {
    const r = rig('lowest', [VIDEO]);
    push(r, 1, 99.9, 0.05, false);
    push(r, 1, 99.95, 0.05, false);
    await r.live(1);
    expect(r.platform.source.buffers[0]!.buffered.start(0)).toBe(100);
    r.engine.close();
  });

  it('jumps over a hole', async () => {
    const r = rig();
    await r.live(3);
    r.at += 4;
    await r.live(3);
    expect(r.engine.figures.jumps + r.media.seeks.filter((to) => to > 106.9).length).toBeGreaterThan(0);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    r.engine.close();
  });

  it('leaves a seek that never ends because hardly any media is ahead', async () => {
    const r = rig();
    await r.live(3);
    r.media.seeking = true;
    r.at += 4;
    for (let i = 0; i < 4; i++) await r.live(0.5);
    expect(r.media.seeks.some((to) => to >= 107)).toBe(true);
    r.engine.close();
  });

  it('begins where both kinds have media', async () => {
    const r = rig();
    for (let i = 0; i < 20; i++) push(r, 2, 98 + i * 0.05, 0.05);
    push(r, 2, 99, 1);
    await r.live(1);
    expect(r.media.seeks[0]).toBeGreaterThanOrEqual(100);
    r.engine.close();
  });

  it('goes on after a pause of the stream', async () => {
    const r = rig();
    await r.live(3);
    await vi.advanceTimersByTimeAsync(5000);
    r.at += 5;
    await r.live(3);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    expect(r.platform.sources).toHaveLength(1);
    r.engine.close();
  });

  it('keeps its buffers when parameters change, changing their type where needed', async () => {
    const r = rig();
    await r.live(2);
    const other = { ...VIDEO, mime: 'video/mp4; codecs="avc1.640028"' };
    r.engine.configure([other, AUDIO]);
    r.engine.init(1, new Uint8Array(9));
    r.engine.init(2, new Uint8Array(8));
    await r.live(2);
    expect(r.platform.sources).toHaveLength(1);
    expect(r.platform.source.buffers[0]!.log).toContain(`type ${other.mime}`);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    r.engine.close();
  });

  it('makes a new media source when another kind of media comes or goes', async () => {
    const r = rig();
    await r.live(2);
    r.engine.configure([VIDEO]);
    r.engine.init(1, new Uint8Array(9));
    await r.live(2, { kinds: [VIDEO] });
    expect(r.platform.sources).toHaveLength(2);
    expect(r.platform.attached).toBe(1);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    r.engine.close();
  });

  it('asks to begin anew when the timeline starts over', async () => {
    const r = rig();
    await r.live(2);
    r.at = 0;
    push(r, 1, 0, 0.05);
    expect(r.told.at(-1)).toBe('resync: the stream began a new timeline');
    r.engine.configure([VIDEO, AUDIO]);
    r.engine.init(1, new Uint8Array(8));
    r.engine.init(2, new Uint8Array(8));
    await r.live(2);
    expect(r.media.currentTime).toBeLessThan(3);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    r.engine.close();
  });

  it('leaves out a kind that stops coming, and takes it back', async () => {
    const r = rig();
    await r.live(2);
    await r.live(5, { kinds: [VIDEO] });
    expect(r.told).toContain('resync: no more audio arrives');
    r.engine.configure([VIDEO, AUDIO]);
    r.engine.init(1, new Uint8Array(8));
    await r.live(2, { kinds: [VIDEO] });
    expect(r.platform.source.buffers).toHaveLength(1);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    await r.live(0.3);
    expect(r.told.at(-2)).toBe('resync: audio arrives again');
    r.engine.close();
  });

  it('leaves nothing out any more if the browser fails with the rest', async () => {
    const r = rig();
    const setUp = (): void => {
      r.engine.configure([VIDEO, AUDIO]);
      for (const { id } of [VIDEO, AUDIO]) r.engine.init(id, new Uint8Array(8));
    };
    await r.live(2);
    await r.live(5, { kinds: [AUDIO] });
    expect(r.told).toContain('resync: no more video arrives');
    setUp();
    await r.live(1, { kinds: [AUDIO] });
    expect(r.platform.source.buffers).toHaveLength(1);
    r.media.error = { code: 3, message: 'OnMediaSinkAudioError' };
    r.media.emit('error');
    r.media.error = null;
    setUp();
    await r.live(5, { kinds: [AUDIO] });
    expect(r.platform.source.buffers).toHaveLength(2);
    await r.live(3);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    expect(r.told.filter((line) => line.startsWith('failed'))).toEqual([]);
    r.engine.close();
  });

  it('nudges a decoder that stands still, then makes a new media source, then gives up', async () => {
    const r = rig();
    await r.live(2);
    r.media.frozen = true;
    for (let i = 0; i < 6; i++) {
      await r.live(7);
      r.engine.configure([VIDEO, AUDIO]);
      r.engine.init(1, new Uint8Array(8));
      r.engine.init(2, new Uint8Array(8));
    }
    expect(r.told.filter((line) => line.startsWith('resync')).length).toBeGreaterThan(0);
    r.engine.close();
  });

  it('gives up after too many media errors', async () => {
    const r = rig();
    await r.live(1);
    r.media.error = { code: 3, message: 'decode' };
    for (let i = 0; i < 5; i++) r.media.emit('error');
    expect(r.told.at(-1)).toBe('failed: decode');
    r.engine.close();
  });

  it('does not follow the edge after the viewer stepped back, until asked', async () => {
    const r = rig();
    await r.live(10);
    r.media.currentTime -= 6;
    await r.live(5);
    expect(r.engine.following).toBe(false);
    expect(r.at - r.media.currentTime).toBeGreaterThan(5.5);
    r.engine.goLive();
    await r.live(1);
    expect(r.at - r.media.currentTime).toBeLessThan(0.6);
    r.engine.close();
  });

  it('says which codecs a browser cannot play', () => {
    const platform = new FakePlatform();
    platform.unsupported = [VIDEO.mime];
    const told: string[] = [];
    const engine = new MseEngine(new FakeMedia(platform), platform, 'lowest', {
      replaced: () => {},
      resync: () => {},
      wantsMedia: () => {},
      failed: (error) => told.push(error.message),
    });
    engine.configure([VIDEO, AUDIO]);
    expect(told[0]).toContain(VIDEO.mime);
    engine.close();
  });

  it('passes on when a managed source has enough', async () => {
    const r = rig();
    await r.live(0.2);
    r.platform.source.emit('endstreaming');
    r.platform.source.emit('startstreaming');
    expect(r.told.slice(-2)).toEqual(['wants false', 'wants true']);
    r.engine.close();
  });

  it('leaves nothing behind', async () => {
    const r = rig();
    await r.live(2);
    r.engine.close();
    r.engine.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(r.media.count).toBe(0);
    expect(r.platform.attached).toBe(0);
    expect(r.platform.source.count).toBe(0);
    for (const buffer of r.platform.source.buffers) expect(buffer.count).toBe(0);
  });
});
