import { parseMediaPlaylist } from '@onair/media/hls';
import { expect, it } from 'vitest';
import { setUp, source } from '../../../../../test/kit/hls-source.ts';
import { audioParameters, audioTrack, videoParameters, videoTrack } from '../../../../../test/kit/samples.ts';

it.each([
  [25, 48_000],
  [30, 48_000],
  [30, 44_100],
])('sound is told to begin no later beside the pictures than it does: %i fps, %i Hz', (fps, rate) => {
  const { packager, publish } = setUp();
  const video = videoTrack({ ...videoParameters(), frameRate: fps });
  publish(source({ seconds: 30, fps, gop: 2 * fps, video, audio: audioTrack(audioParameters(rate)) }));
  const [pictures, sound] = ['video', 'audio'].map((name) => {
    const playlist = parseMediaPlaylist(packager().playlist(name)!.text);
    const rendition = packager().rendition(name)!;
    return playlist.segments.map(({ programDateTime }, i) => ({
      told: programDateTime!,
      real: rendition.segment(playlist.mediaSequence + i)!.programDateTime,
    }));
  });
  expect(pictures!.length).toBeGreaterThan(5);
  for (const picture of pictures!) {
    for (const segment of sound!) {
      const late = segment.told - picture.told - (segment.real - picture.real);
      expect(late).toBeLessThanOrEqual(0.001);
      expect(late).toBeGreaterThan(-2.001);
    }
  }
});
