import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Sample, Track } from '../model/index.ts';
import { FlvReader } from './flv-reader.ts';
import { flvFileHeader, type Tag } from './tag.ts';
import { TagDemuxer } from './tag-demuxer.ts';
import { configTag, encodeSampleAsFlvTag, sampleTag, sampleTagHeader } from './tag-muxer.ts';

const file = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));

interface Found {
  readonly tracks: Track[];
  readonly samples: Sample[];
  readonly demuxer: TagDemuxer;
}

function collector(): Found {
  const tracks: Track[] = [];
  const samples: Sample[] = [];
  const demuxer = new TagDemuxer({
    onTrack: (track) => tracks.push(track),
    onSample: (sample) => samples.push(sample),
    onMetadata: () => undefined,
    onDataEvent: () => undefined,
  });
  return { tracks, samples, demuxer };
}

function tagsOf(bytes: Uint8Array): Tag[] {
  const reader = new FlvReader();
  reader.push(bytes);
  const tags: Tag[] = [];
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    if (item.kind === 'tag') tags.push(item.tag);
  }
  return tags;
}

function demux(tags: readonly Tag[]): Found {
  const found = collector();
  for (const tag of tags) found.demuxer.push(tag);
  return found;
}

describe('a real file', () => {
  const tags = tagsOf(file('h264-aac-bframes.flv'));
  const { tracks, samples } = demux(tags);
  const video = samples.filter((sample) => sample.track.id === 1);
  const audio = samples.filter((sample) => sample.track.id === 2);

  it('has the tracks FFmpeg wrote', () => {
    expect(tracks.map((track) => [track.id, track.timebase])).toEqual([
      [1, 90_000],
      [2, 44_100],
    ]);
    expect(tracks[0]!.parameters).toMatchObject({
      codec: 'h264',
      codecString: 'avc1.64000b',
      width: 160,
      height: 90,
      frameRate: 25,
    });
    expect(tracks[1]!.parameters).toMatchObject({
      codec: 'aac',
      codecString: 'mp4a.40.2',
      sampleRate: 44_100,
      channels: 2,
      frameSize: 1024,
    });
  });

  it('has 50 pictures, two of them key, presented 40 ms apart', () => {
    expect(video.length).toBe(50);
    expect(video.filter((sample) => sample.keyframe).map((sample) => sample.pts)).toEqual([7200, 97_200]);
    const shown = video.map((sample) => sample.pts).sort((a, b) => a - b);
    expect(shown.every((pts, i) => i === 0 || pts - shown[i - 1]! === 3600)).toBe(true);
    expect(video.every((sample, i) => i === 0 || sample.dts > video[i - 1]!.dts)).toBe(true);
  });

  it('has sound in steps of exactly 1024', () => {
    const anchor = audio[0]!.dts;
    expect(audio.map((sample) => sample.dts)).toEqual(audio.map((_, i) => anchor + i * 1024));
  });

  it('comes out of the muxer as FFmpeg wrote it', () => {
    const media = tags.filter((tag) => tag.type !== 'script' && !(tag.body[0] === 0x17 && tag.body[1] === 2));
    const written = [
      ...tracks.map((track) => ({ ...configTag(track)!, timestampMs: 0 })),
      ...samples.map(sampleTag),
    ];
    expect(written.map((tag) => [tag.type, tag.body])).toEqual(media.map((tag) => [tag.type, tag.body]));
    written.forEach((tag, i) => {
      expect(Math.abs(tag.timestampMs - media[i]!.timestampMs)).toBeLessThanOrEqual(
        tag.type === 'audio' ? 1 : 0,
      );
    });
    const bytes = [flvFileHeader({ audio: true, video: true }), ...samples.map(encodeSampleAsFlvTag)];
    const again = tagsOf(Uint8Array.from(bytes.flatMap((part) => [...part])));
    expect(again).toEqual(samples.map(sampleTag));
    const some = samples[7]!;
    expect([...sampleTagHeader(some), ...some.data]).toEqual([...sampleTag(some).body]);
  });
});
