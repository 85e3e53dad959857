import type { Sample, Timebase, Track } from '@onair/media';
import { silentUnit } from '@onair/media/bitstream';
import { parseMpd } from '@onair/media/dash';
import { parseChunks } from '@onair/media/isobmff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyLife, type Life, lifeSamples, PLAIN_LIFE } from '../../../../test/kit/encoder-lives.ts';
import { AUDIO, FLAC, Judge, setUp, source, VIDEO } from '../../../../test/kit/hls-source.ts';
import { audioTrack } from '../../../../test/kit/samples.ts';
import { type Block, DEFAULT_PUMP_POLICY } from '../hub/index.ts';
import type { CmafConfig } from './cmaf/index.ts';
import { dashPackagerKind } from './dash/dash-packager.ts';
import { DEFAULT_DASH_OPTIONS } from './dash/options.ts';
import { Silence, Silences } from './silence.ts';
import { FLV_TAGS, type TagFormat, tagPackagerKind } from './tags/index.ts';

const MUTE: Life = { ...PLAIN_LIFE, only: 'video' };

/** A stream whose CMAF blocks are kept. */
function logged() {
  const hub = setUp();
  const blocks: Block<CmafConfig>[] = [];
  hub.stream.packager(hub.kinds.cmaf).log.follow({
    appended: (block) => blocks.push({ ...block, bytes: block.bytes.slice() }),
    ended: () => {},
  });
  const live = (one: Life, number = 0, width = 320): void => {
    const tracks = new Map<Track, Track>();
    const wide = (track: Track): Track => {
      const { parameters } = track;
      if (!tracks.has(track))
        tracks.set(
          track,
          parameters.kind !== 'video' ? track : { ...track, parameters: { ...parameters, width } },
        );
      return tracks.get(track)!;
    };
    const samples = lifeSamples(one, number).map(({ at, sample }) => ({
      at,
      sample: { ...sample, track: wide(sample.track) },
    }));
    hub.publish(samples).close('gone');
    hub.clock.advance(one.awayMs);
  };
  const media = (): Block<CmafConfig>[] => blocks.filter(({ kind }) => kind === 'media');
  /** The epochs that sound came in, and its samples. */
  const sound = () =>
    media()
      .filter(({ video }) => !video)
      .map((block) => ({
        block,
        samples: parseChunks(block.bytes).flatMap(({ tracks }) => tracks[0]!.samples),
      }));
  return { ...hub, blocks, live, media, sound };
}

describe('an encoder that goes before the sound of its last pictures has come', () => {
  /** Gone `ms` after the key frame at 4 s, with sound that comes 150 ms late; the same again afterwards. */
  const twice = (ms: number, audio = AUDIO, reorder = 0) => {
    const found = logged();
    const hls = found.packager();
    const judges = ['video', 'audio'].map((name) => new Judge(() => hls.playlist(name)?.text));
    for (let life = 0; life < 2; life++) {
      const samples = source({ seconds: 6, gop: 60, audioLead: -150, audio, reorder });
      const gone = samples.filter(({ at }) => at <= 4000 + ms);
      found
        .publish(life === 0 ? gone : samples, () => {
          for (const judge of judges) judge.look();
        })
        .close('gone');
      found.clock.advance(500);
    }
    for (const judge of judges) judge.look();
    const gaps = judges.map(({ last }) => last.segments.filter(({ gap }) => gap === true).length);
    return { ...found, judges, gaps };
  };

  it.each([0, 40, 100])('leaves no segment without sound, %i ms into it', (ms) => {
    for (const reorder of [0, 2]) {
      const { judges, gaps, faults, sound, media } = twice(ms, AUDIO, reorder);
      expect(faults).toEqual([]);
      expect(judges.flatMap((judge) => judge.faults)).toEqual([]);
      expect(gaps).toEqual([0, 0]);
      const first = sound().filter(({ block }) => block.epoch.number === 1);
      const last = first.at(-1)!.block;
      const shown = media().filter(({ video, epoch }) => video && epoch.number === 1);
      const end = Math.max(...shown.map((one) => one.time + one.compositionOffset + one.duration));
      expect(Math.abs(last.time + last.duration - end)).toBeLessThan(22_000);
      const [pictures, sounds] = judges.map(
        ({ last }) => last.segments.find(({ discontinuity }) => discontinuity)!,
      );
      expect(Math.abs(pictures!.programDateTime! - sounds!.programDateTime!)).toBeLessThan(22);
      // What the encoder sent of it stays.
      const silent = first.flatMap(({ samples }) => samples).map(({ data }) => data.length < 10);
      expect(silent.indexOf(true)).toBe(Math.ceil(((4000 + ms - 150) * 48) / 1024));
      let place = 0;
      for (const { block } of sound()) {
        expect(block.time).toBeGreaterThanOrEqual(place - 25);
        place = block.time + block.duration;
      }
    }
  });

  it('takes nothing from the next broadcast under its name', () => {
    const { publish, clock, stream, media, sound, faults } = logged();
    publish(source({ seconds: 6, audioLead: -150 })).close('gone');
    clock.advance(60_000);
    expect(stream.state).toBe('ended');
    const [pictures, sounds] = [media().filter(({ video }) => video).length, sound().length];
    publish(source({ seconds: 6 })).close('gone');
    const [picture, next] = [media().filter(({ video }) => video)[pictures]!, sound().slice(sounds)];
    expect(Math.abs(next[0]!.block.time - picture.time)).toBeLessThan(22_000);
    expect(
      next.flatMap(({ samples }) => samples).filter(({ data }) => data.length >= 10).length,
    ).toBeGreaterThan(278);
    expect(faults).toEqual([]);
  });

  it('leaves one where there is no silence of the codec', () => {
    expect(twice(40, FLAC).gaps).toEqual([0, 1]);
  });
});

describe('an encoder that comes back without its sound', () => {
  it('has silence of the same parameters, without a hole and never ahead of the pictures', () => {
    const { live, sound, media, blocks, stream, faults } = logged();
    live({ ...PLAIN_LIFE, reorder: 2 });
    live({ ...MUTE, reorder: 2 }, 1);
    live({ ...MUTE, fps: 25 }, 2, 640);
    expect(faults).toEqual([]);
    const configs = blocks.filter(({ kind }) => kind === 'config');
    expect(configs.map(({ epoch }) => epoch.tracks.map(({ id }) => id))).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(configs[1]!.epoch.config.inits.get(2)).toEqual(configs[0]!.epoch.config.inits.get(2));
    // What the publisher sends is told as it is.
    expect(stream.epoch?.tracks.map(({ id }) => id)).toEqual([1]);
    const { data } = silentUnit(AUDIO.parameters as never)!;
    for (const number of [2, 3]) {
      const own = sound().filter(({ block }) => block.epoch.number === number);
      const read = own.flatMap(({ samples }) => samples);
      expect(read.every((one) => Buffer.from(data).equals(one.data))).toBe(true);
      for (const [i, { dts, duration }] of read.entries()) expect(dts).toBe(read[0]!.dts + i * duration);
      expect(own.map(({ block }) => block.discontinuity)).toEqual(own.map((_, i) => i === 0));
      const pictures = media().filter(({ video, epoch }) => video && epoch.number === number);
      const [first] = pictures;
      // At once, or behind the unit that completed the sound before.
      const behind = own[0]!.block.time - first!.time - first!.compositionOffset;
      expect(behind).toBeGreaterThan(-100);
      expect(behind).toBeLessThan(22_000);
      const last = own.at(-1)!.block;
      expect(pictures.at(-1)!.time - last.time - last.duration).toBeLessThan(23_000);
    }
    let shown = 0;
    for (const block of media()) {
      if (block.epoch.number === 1) continue;
      // Where the encoder has gone it ends with the picture that was shown last, by less than a unit.
      if (!block.video) expect(block.time + block.duration).toBeLessThanOrEqual(shown + 22_000);
      else shown = Math.max(shown, block.time + block.compositionOffset + block.duration);
    }
  });

  it('comes with its pictures behind sound that ran on behind the last one', () => {
    const { live, media } = logged();
    live({ ...PLAIN_LIFE, stops: [3000, 0] });
    live(MUTE, 1);
    const [picture, sound] = [true, false].map((video) =>
      media().find((block) => block.video === video && block.epoch.number === 2),
    );
    expect(Math.abs(picture!.time - sound!.time)).toBeLessThan(1000);
  });

  it('keeps it as often as it does so, and has its own sound again afterwards', () => {
    const { live, sound } = logged();
    for (const [number, one] of [PLAIN_LIFE, MUTE, MUTE, MUTE, PLAIN_LIFE].entries())
      live(one, number, number === 3 ? 640 : 320);
    const silent = sound().map(({ samples }) => samples.every(({ data }) => data.length < 10));
    const lengths = [silent.indexOf(true), silent.lastIndexOf(true)];
    expect(silent.slice(...lengths).every(Boolean)).toBe(true);
    expect(silent.at(-1)).toBe(false);
    expect(new Set(sound().map(({ block }) => block.track))).toEqual(new Set([2]));
    const sequences = sound().map(({ block }) => parseChunks(block.bytes)[0]!.sequence);
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
    const times = sound().map(({ block }) => block.time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('has none where there never was sound, nor after the end of the stream', () => {
    const never = logged();
    never.live(MUTE);
    never.live(MUTE, 1, 640);
    expect(never.sound()).toEqual([]);
    const ended = logged();
    ended.live(PLAIN_LIFE);
    ended.clock.advance(60_000);
    expect(ended.stream.state).toBe('ended');
    const before = ended.sound().length;
    ended.live(MUTE, 1);
    expect(ended.sound()).toHaveLength(before);
  });

  it('has it in HLS and DASH, where sound alone came before, too', () => {
    for (const first of [PLAIN_LIFE, { ...PLAIN_LIFE, only: 'audio' } as const]) {
      const { live, packager, stream, kinds, clock, faults } = logged();
      const hls = packager();
      const dash = stream.packager(
        dashPackagerKind(kinds.hls, kinds.cmaf, clock, () => DEFAULT_DASH_OPTIONS),
      );
      const judge = new Judge(() => hls.playlist('audio')?.text);
      for (const [number, one] of [first, MUTE, PLAIN_LIFE].entries()) {
        live(one, number);
        judge.look();
      }
      expect(faults).toEqual([]);
      expect(judge.faults).toEqual([]);
      expect(judge.last.segments.filter(({ gap }) => gap === true)).toEqual([]);
      const mpd = parseMpd(dash.manifest({ base: '', lowLatency: false })!.body.text);
      expect(mpd.periods.slice(-2).map(({ adaptationSets }) => adaptationSets.length)).toEqual([2, 2]);
    }
  });

  it('has it in FLV and RTMP', () => {
    const { live, stream, clock, faults } = logged();
    const seen: Sample[] = [];
    const format: TagFormat = {
      ...FLV_TAGS,
      sample: (sample) => {
        seen.push(sample);
        return FLV_TAGS.sample(sample);
      },
    };
    const policy = (windowMs: number) => ({ ...DEFAULT_PUMP_POLICY, windowMs });
    const packager = stream.packager(tagPackagerKind(format, { clock, policy }));
    for (const [number, one] of [PLAIN_LIFE, MUTE, MUTE, PLAIN_LIFE].entries()) live(one, number);
    expect(faults).toEqual([]);
    expect(packager.tracks.map(({ id }) => id)).toEqual([1, 2]);
    const sounds = seen.filter(({ track }) => track.id === 2);
    const silent = sounds.map(({ data }) => data.length < 10);
    const [from, to] = [silent.indexOf(true), silent.lastIndexOf(true)];
    expect(silent.slice(from, to).every(Boolean)).toBe(true);
    // Twice eight seconds, less what is not over when the last picture comes.
    expect(to - from).toBeGreaterThan((15.8 * 48_000) / 1024);
    for (const [i, { dts }] of sounds.entries()) expect(dts).toBeGreaterThan(sounds[i - 1]?.dts ?? -1);
    expect(silent.at(-1)).toBe(false);
  });

  it('keeps to that whatever its tracks do', () => {
    fc.assert(
      fc.property(fc.array(anyLife(), { minLength: 2, maxLength: 4 }), (lives) => {
        const { live, sound, media, faults } = logged();
        for (const [number, one] of lives.entries())
          live({ ...one, only: number === 1 ? 'video' : one.only }, number);
        expect(faults).toEqual([]);
        const ends = new Map<number, number>();
        let place = { end: 0, silent: false };
        for (const { block, samples } of sound()) {
          const silent = samples.every(({ data }) => data.length < 10);
          if (place.silent || silent) expect(block.time).toBeGreaterThanOrEqual(place.end - 25);
          place = { end: Math.max(place.end, block.time + block.duration), silent };
          if (!silent) continue;
          const end = ends.get(block.epoch.number);
          if (end !== undefined && !block.discontinuity) expect(samples[0]!.dts).toBe(end);
          const last = samples.at(-1)!;
          ends.set(block.epoch.number, last.dts + last.duration);
        }
        expect(media().length).toBeLessThan(200 * lives.length * 15);
      }),
      { numRuns: 10, seed: 1 },
    );
  });
});

describe('Silence', () => {
  const MS = 1000 as Timebase;
  const all = (silence: Silence, ms: number): Sample[] => [...silence.until(ms, ms, MS)];

  it('fills holes of the pictures, but begins anew behind long ones', () => {
    const silence = Silence.of(AUDIO, 2, 0)!;
    expect(all(silence, 1000)).toEqual([]);
    expect(all(silence, 10_000)).toHaveLength(Math.floor((9 * 48_000) / 1024));
    expect(all(silence, 100_000)).toEqual([]);
    const [next] = all(silence, 100_030);
    expect(next).toMatchObject({ dts: 4_800_000, duration: 1024, keyframe: true });
  });

  it('never goes back', () => {
    const silence = Silence.of(AUDIO, 2, 96_000)!;
    expect(all(silence, 1000)).toEqual([]);
    expect(all(silence, 2050)[0]).toMatchObject({ dts: 96_000 });
    silence.cut();
    all(silence, 500);
    expect(all(silence, 3000)[0]!.dts).toBe(96_000 + 2 * 1024);
  });

  it('needs a codec that has some, in whole ticks', () => {
    expect(Silence.of(VIDEO, 1, 0)).toBeUndefined();
    expect(Silence.of(FLAC, 2, 0)).toBeUndefined();
    expect(Silence.of({ ...AUDIO, timebase: MS }, 2, 0)).toBeUndefined();
    expect(Silence.of({ ...AUDIO, timebase: 96_000 as Timebase }, 2, 0)).toBeDefined();
  });
});

describe('the tracks that go on as silence', () => {
  const sound = (id: number, language?: string): Track => ({
    ...audioTrack(),
    id,
    ...(language === undefined ? {} : { language }),
  });
  const picture = (id: number): Track => ({ ...VIDEO, id });
  const of = (before: Track[], now: Track[], taken = now): number[] => {
    const silences = new Silences();
    silences.begin(before, now, taken);
    return silences.among(now).map(({ id }) => id);
  };

  it('stand where they stood, under a number that nobody has', () => {
    expect(of([picture(1), sound(2)], [picture(1)])).toEqual([1, 2]);
    expect(of([picture(1), sound(2), sound(3)], [picture(1), sound(3)])).toEqual([1, 2, 3]);
    expect(of([picture(1), sound(2), sound(3)], [picture(1)])).toEqual([1, 2, 3]);
    expect(of([sound(1)], [picture(1), picture(2)])).toEqual([1, 2, 3]);
    expect(of([picture(1), sound(2), sound(3)], [picture(1)], [picture(1), sound(2)])).toEqual([1, 3, 4]);
  });

  it('are none without pictures, or where another sound came', () => {
    expect(of([picture(1), sound(2), sound(3)], [sound(2)])).toEqual([2]);
    expect(of([picture(1), sound(2)], [picture(1), sound(5)])).toEqual([1, 5]);
    expect(of([picture(1)], [picture(1)])).toEqual([1]);
  });
});
