import { afterEach, describe, expect, it, vi } from 'vitest';
import { capture, captureFault, withSound } from './capture.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a camera or screen that cannot be had', () => {
  it.each([
    ['NotAllowedError', 'room.fault.denied'],
    ['NotFoundError', 'room.fault.none'],
    ['OverconstrainedError', 'room.fault.none'],
    ['NotReadableError', 'room.fault.busy'],
    ['AbortError', 'room.fault.busy'],
    ['SecurityError', 'room.fault.insecure'],
    ['UnknownError', 'room.fault.other'],
  ])('is told in words: %s', (name, word) => {
    expect(captureFault(new DOMException('', name))).toBe(word);
  });

  it('is told where the browser hides all devices, and whatever else goes wrong', async () => {
    vi.stubGlobal('navigator', {});
    expect(await capture('camera').catch(captureFault)).toBe('room.fault.insecure');
    expect(captureFault(new Error('x'))).toBe('room.fault.other');
  });
});

it('asks for a camera with 720 lines and the microphone, or for a screen with its sound', async () => {
  const asked: unknown[] = [];
  const ask = (what: string) => async (wish: MediaStreamConstraints) => void asked.push([what, wish]);
  vi.stubGlobal('navigator', {
    mediaDevices: { getUserMedia: ask('camera'), getDisplayMedia: ask('screen') },
  });
  await capture('camera');
  await capture('screen');
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  expect(asked).toEqual([
    ['camera', { audio: true, video: size }],
    ['screen', { audio: true, video: true }],
  ]);
});

it('keeps the open microphone with a screen that has no sound', () => {
  class FakeStream {
    readonly tracks: readonly MediaStreamTrack[];
    constructor(tracks: readonly MediaStreamTrack[]) {
      this.tracks = tracks;
    }
    getAudioTracks() {
      return this.tracks.filter(({ kind }) => kind === 'audio');
    }
    getVideoTracks() {
      return this.tracks.filter(({ kind }) => kind === 'video');
    }
  }
  vi.stubGlobal('MediaStream', FakeStream);
  const track = (kind: string, readyState = 'live') => ({ kind, readyState }) as MediaStreamTrack;
  const streamOf = (...tracks: MediaStreamTrack[]) => new FakeStream(tracks) as unknown as MediaStream;
  const [screen, microphone] = [track('video'), track('audio')];
  const old = streamOf(track('video'), microphone);
  const joined = withSound(streamOf(screen), old) as unknown as FakeStream;
  expect(joined.tracks).toEqual([screen, microphone]);
  expect(joined.tracks[1]).toBe(microphone);
  const loud = streamOf(screen, track('audio'));
  expect(withSound(loud, old)).toBe(loud);
  const mute = streamOf(screen);
  expect(withSound(mute, streamOf(track('audio', 'ended')))).toBe(mute);
  expect(withSound(mute, undefined)).toBe(mute);
});
