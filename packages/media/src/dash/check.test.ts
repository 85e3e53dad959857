import { describe, expect, it } from 'vitest';
import { checkMpd, isLowLatency } from './check.ts';
import { compareMpds } from './compare.ts';
import { sampleMpd } from './golden/sample-mpd.ts';
import type { AdaptationSet, Mpd, Period, Representation, SegmentTemplate } from './model.ts';
import { parseMpd } from './parse.ts';
import { writeMpd } from './write.ts';

const messages = (mpd: Mpd): string[] => checkMpd(mpd).map(({ message }) => message);

const withPeriod = (mpd: Mpd, change: Partial<Period>, at = 0): Mpd => ({
  ...mpd,
  periods: mpd.periods.map((period, i) => (i === at ? { ...period, ...change } : period)),
});
const withSet = (mpd: Mpd, change: Partial<AdaptationSet>, at = 0): Mpd =>
  withPeriod(mpd, {
    adaptationSets: mpd.periods[0]!.adaptationSets.map((set, i) => (i === at ? { ...set, ...change } : set)),
  });
const withRepresentation = (mpd: Mpd, change: Partial<Representation>, at = 0): Mpd =>
  withSet(
    mpd,
    {
      representations: mpd.periods[0]!.adaptationSets[at]!.representations.map((one) => ({
        ...one,
        ...change,
      })),
    },
    at,
  );
const withTemplate = (mpd: Mpd, change: Partial<SegmentTemplate>, at = 0): Mpd => {
  const template = mpd.periods[0]!.adaptationSets[at]!.representations[0]!.segmentTemplate;
  return withRepresentation(mpd, { segmentTemplate: { ...template, ...change } }, at);
};

const good = sampleMpd();
const template = good.periods[0]!.adaptationSets[0]!.representations[0]!.segmentTemplate;
const timeline = template.timeline;

describe('the rules of one version', () => {
  it('finds nothing in a good one', () => {
    expect(checkMpd(good)).toEqual([]);
    expect(isLowLatency(good)).toBe(true);
  });

  it('asks for no access point where the main profile alone is kept to', () => {
    const main = 'urn:mpeg:dash:profile:isoff-main:2011';
    const mpd = {
      ...withSet(good, { startWithSAP: 0, profiles: [main] }),
      profiles: [...good.profiles, main],
    };
    expect(checkMpd(mpd)).toEqual([]);
    expect(parseMpd(writeMpd(mpd)).periods[0]!.adaptationSets[0]!.profiles).toEqual([main]);
  });

  const broken: readonly [string, Mpd, string][] = [
    [
      'no availabilityStartTime',
      { ...good, availabilityStartTime: undefined },
      'without availabilityStartTime',
    ],
    ['no publishTime', { ...good, publishTime: undefined }, 'without publishTime'],
    ['never updated', { ...good, minimumUpdatePeriod: undefined }, 'never updated'],
    ['duration of a live one', { ...good, mediaPresentationDuration: 5 }, 'tells its duration'],
    ['profile', { ...good, profiles: ['urn:mpeg:dash:profile:full:2011'] }, 'live profile'],
    ['no clock', { ...good, utcTimings: [] }, 'no UTCTiming'],
    ['clock without address', { ...good, utcTimings: [{ schemeIdUri: 'urn:x' }] }, 'without a value'],
    ['delay', { ...good, suggestedPresentationDelay: 3.9 }, 'suggestedPresentationDelay 3.9 s'],
    ['no delay', { ...good, suggestedPresentationDelay: undefined }, 'no suggestedPresentationDelay'],
    ['depth', { ...good, timeShiftBufferDepth: 5 }, 'timeShiftBufferDepth 5 s'],
    ['buffer', { ...good, minBufferTime: 0 }, 'minBufferTime of 0'],
    ['no period', { ...good, periods: [] }, 'no period'],
    ['periods of one name', { ...good, periods: [good.periods[0]!, good.periods[0]!] }, 'are called p7'],
    [
      'periods that begin together',
      { ...good, periods: [good.periods[0]!, { ...good.periods[0]!, id: 'q' }] },
      'period q begins at',
    ],
    [
      'a period too long',
      {
        ...good,
        periods: [
          { ...good.periods[0]!, duration: 9 },
          { ...good.periods[0]!, id: 'q', start: 6.5 },
        ],
      },
      'lasts 9 s',
    ],
    ['no adaptation set', withPeriod(good, { adaptationSets: [] }), 'no adaptation set'],
    ['no representation', withSet(good, { representations: [] }), 'no representation'],
    ['type', withSet(good, { mimeType: 'audio/mp4' }), 'audio/mp4'],
    ['access point', withSet(good, { startWithSAP: 3 }), 'access point of type 3'],
    [
      'access point of one profile',
      withSet(good, { startWithSAP: 0, profiles: ['urn:mpeg:dash:profile:isoff-live:2011'] }),
      'access point of type 0',
    ],
    ['profile of a set', withSet(good, { profiles: ['urn:x'] }), 'urn:x is not a profile of the MPD'],
    ['language', withSet(good, { lang: 'x y' }), 'no language'],
    ['alignment', withSet(good, { segmentAlignment: false }), 'need not be aligned'],
    ['names', withRepresentation(good, { id: 'audio' }), 'are called audio'],
    ['white space', withRepresentation(good, { id: 'a b' }), 'white space'],
    ['bandwidth', withRepresentation(good, { bandwidth: 0 }), 'bandwidth of 0'],
    ['codecs', withRepresentation(good, { codecs: '' }), 'no codecs'],
    ['size', withRepresentation(good, { width: undefined }), 'no width or height'],
    ['frame rate', withRepresentation(good, { frameRate: undefined }), 'no frameRate'],
    ['sar', withRepresentation(good, { sar: undefined }), 'no sar'],
    ['sampling rate', withRepresentation(good, { audioSamplingRate: undefined }, 1), 'no audioSamplingRate'],
    [
      'channels',
      withRepresentation(good, { audioChannelConfiguration: undefined }, 1),
      'no AudioChannelConfiguration',
    ],
    ['timescale', withTemplate(good, { timescale: 0 }), 'timescale of 0'],
    ['media', withTemplate(good, { media: 's.m4s' }), 'needs $Number$ or $Time$'],
    ['both', withTemplate(good, { media: '$Number$$Time$' }), 'needs $Number$ or $Time$'],
    ['initialization', withTemplate(good, { initialization: 'i$Number$.mp4' }), 'changes with the segment'],
    ['no segment', withTemplate(good, { timeline: [] }), 'no segment'],
    [
      'overlap',
      withTemplate(good, {
        timeline: [
          { t: 900_000, d: 2 },
          { t: 900_001, d: 2 },
        ],
      }),
      'begins before',
    ],
    [
      'hole',
      withTemplate(good, {
        timeline: [
          { t: 900_000, d: 2 },
          { t: 900_003, d: 2 },
        ],
      }),
      'a hole of 1 ticks',
    ],
    ['outside', withTemplate(good, { timeline: [{ t: 0, d: 180_000 }] }), 'outside of its period'],
    ['too long', withTemplate(good, { timeline: [{ t: 900_000, d: 200_000 }] }), 'maxSegmentDuration 2.1 s'],
    ['behind the period', withPeriod(good, { duration: 4.5 }), 'behind its period'],
    ['offset', withTemplate(good, { availabilityTimeOffset: -1 }), 'a negative'],
    ['early, but not', withTemplate(good, { availabilityTimeOffset: 0 }), 'nothing comes earlier'],
    ['too early', withTemplate(good, { availabilityTimeOffset: 2 }), 'availabilityTimeOffset 2 s'],
    ['no target', { ...good, serviceDescriptions: [] }, 'no ServiceDescription'],
    [
      'latencies',
      { ...good, serviceDescriptions: [{ id: 0, latency: { referenceId: 0, min: 3, target: 2 } }] },
      'latency 3, 2',
    ],
    [
      'rates',
      { ...good, serviceDescriptions: [{ id: 0, latency: { target: 2 }, playbackRate: { min: 1.1 } }] },
      'playback rate',
    ],
    ['no reference', withSet(good, { producerReferenceTimes: [] }), 'no ProducerReferenceTime 0'],
    ['beside the clock', withPeriod(good, { start: 0.6 }), 'beside the presentation'],
  ];
  it.each(broken)('%s', (_, mpd, message) => {
    expect(messages(mpd).join('\n')).toContain(message);
  });

  it('knows what a static one may not have', () => {
    const over: Mpd = {
      ...withPeriod(
        withTemplate(
          withTemplate(good, { availabilityTimeComplete: undefined }),
          { availabilityTimeComplete: undefined },
          1,
        ),
        { duration: 6 },
      ),
      type: 'static',
      minimumUpdatePeriod: undefined,
      timeShiftBufferDepth: undefined,
      mediaPresentationDuration: 6.5,
    };
    expect(checkMpd(over)).toEqual([]);
    expect(messages({ ...over, minimumUpdatePeriod: 1 })).toEqual(['static, but with minimumUpdatePeriod']);
    expect(messages({ ...over, timeShiftBufferDepth: 1 })).toEqual(['static, but with timeShiftBufferDepth']);
    expect(messages({ ...over, mediaPresentationDuration: 0.5 }).join()).toContain(
      'mediaPresentationDuration 0.5',
    );
    expect(
      messages(withPeriod({ ...over, mediaPresentationDuration: undefined }, { duration: undefined })),
    ).toEqual(['static without a duration']);
  });
});

describe('the rules of two versions', () => {
  const compared = (after: Mpd, before = good): string =>
    compareMpds(before, after)
      .map(({ message }) => message)
      .join('\n');
  const next = { t: 1_440_000, d: 180_000 };

  it('lets segments come at the end, leave at the front, and the growing one change its length', () => {
    expect(compared(good)).toBe('');
    expect(compared(withTemplate(good, { timeline: [...timeline, next] }))).toBe('');
    expect(
      compared(withTemplate(good, { timeline: [...timeline.slice(0, 2), { t: timeline[2]!.t, d: 90_000 }] })),
    ).toBe('');
    const late = { ...good, timeShiftBufferDepth: 2 };
    expect(compared(withTemplate(late, { timeline: timeline.slice(1), startNumber: 8 }), late)).toBe('');
  });

  const broken: readonly [string, Mpd, string][] = [
    ['start', { ...good, availabilityStartTime: 5 }, 'availabilityStartTime has changed'],
    ['profiles', { ...good, profiles: ['urn:mpeg:dash:profile:isoff-live:2011'] }, 'profiles have changed'],
    ['time', { ...good, publishTime: 5 }, 'publishTime goes back'],
    ['all gone', { ...good, periods: [{ ...good.periods[0]!, id: 'q' }] }, 'every period is gone'],
    ['moved', withPeriod(good, { start: 1 }), 'began at 0.5, now 1'],
    ['set gone', withPeriod(good, { adaptationSets: good.periods[0]!.adaptationSets.slice(1) }), 'is gone'],
    [
      'set came',
      withPeriod(good, {
        adaptationSets: [
          ...good.periods[0]!.adaptationSets,
          { ...good.periods[0]!.adaptationSets[0]!, id: 9 },
        ],
      }),
      'was not there from the beginning',
    ],
    ['codecs', withRepresentation(good, { codecs: 'avc1.42c01e' }), 'codecs was avc1.64001f'],
    ['offset', withTemplate(good, { presentationTimeOffset: 1 }), 'presentationTimeOffset was'],
    ['back', withTemplate(good, { startNumber: 6 }), 'startNumber goes back'],
    ['too early', withTemplate(good, { startNumber: 8, timeline: timeline.slice(1) }), 'left too early'],
    ['gone', withTemplate(good, { timeline: timeline.slice(0, 2) }), 'is gone'],
    ['shifted', withTemplate(good, { timeline: timeline.map(({ t, d }) => ({ t: t + 1, d })) }), 'moved to'],
    [
      'length',
      withTemplate(good, { timeline: [{ t: 900_000, d: 90_000 }, ...timeline.slice(1)] }),
      'lasted 180000 ticks',
    ],
  ];
  it.each(broken)('%s', (_, mpd, message) => {
    expect(compared(mpd)).toContain(message);
  });

  it('a length that was told stays', () => {
    const closed = withPeriod(good, { duration: 6 });
    expect(compared(withPeriod(good, { duration: 5 }), closed)).toContain('lasted 6, now 5');
    const two = { ...good, periods: [...closed.periods, { ...good.periods[0]!, id: 'q', start: 6.5 }] };
    expect(compared(two, closed)).toBe('');
    expect(compared(good, two)).toContain('period q is gone');
  });
});
