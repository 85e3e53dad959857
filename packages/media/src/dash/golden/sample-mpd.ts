import type { AdaptationSet, Mpd } from '../model.ts';

const CLOCK = { schemeIdUri: 'urn:mpeg:dash:utc:http-xsdate:2014', value: '/time' };

function set(contentType: 'video' | 'audio', timescale: number, d: number): AdaptationSet {
  const video = contentType === 'video';
  return {
    id: video ? 1 : 2,
    contentType,
    mimeType: `${contentType}/mp4`,
    lang: video ? undefined : 'ja',
    segmentAlignment: true,
    startWithSAP: 1,
    supplementalProperties: [],
    inbandEventStreams: video ? [{ schemeIdUri: 'urn:x-onair:event:1' }] : [],
    roles: [{ schemeIdUri: 'urn:mpeg:dash:role:2011', value: 'main' }],
    producerReferenceTimes: [
      {
        id: 0,
        type: 'encoder',
        wallClockTime: Date.UTC(2026, 0, 1, 0, 0, 0, 500),
        presentationTime: 10 * timescale,
        inband: false,
        utcTiming: CLOCK,
      },
    ],
    representations: [
      {
        id: contentType,
        bandwidth: video ? 2_000_000 : 128_000,
        codecs: video ? 'avc1.64001f' : 'mp4a.40.2',
        width: video ? 1280 : undefined,
        height: video ? 720 : undefined,
        frameRate: video ? '30000/1001' : undefined,
        sar: video ? '1:1' : undefined,
        audioSamplingRate: video ? undefined : 48_000,
        audioChannelConfiguration: video
          ? undefined
          : { schemeIdUri: 'urn:mpeg:mpegB:cicp:ChannelConfiguration', value: '2' },
        segmentTemplate: {
          timescale,
          initialization: 'dash/$RepresentationID$/i7.mp4',
          media: 'dash/$RepresentationID$/s$Number$.m4s',
          startNumber: 7,
          presentationTimeOffset: 10 * timescale,
          availabilityTimeOffset: 1.9,
          availabilityTimeComplete: false,
          timeline: [0, 1, 2].map((i) => ({ t: 10 * timescale + i * d, d })),
        },
      },
    ],
  };
}

/** A low-latency presentation without a fault; for tests. */
export function sampleMpd(): Mpd {
  return {
    type: 'dynamic',
    profiles: ['urn:mpeg:dash:profile:isoff-live:2011', 'urn:mpeg:dash:profile:cmaf:2019'],
    availabilityStartTime: Date.UTC(2026, 0, 1),
    publishTime: Date.UTC(2026, 0, 1, 0, 0, 6, 250),
    minimumUpdatePeriod: 0.5,
    mediaPresentationDuration: undefined,
    minBufferTime: 2.1,
    timeShiftBufferDepth: 14,
    suggestedPresentationDelay: 5.2,
    maxSegmentDuration: 2.1,
    serviceDescriptions: [
      {
        id: 0,
        latency: { referenceId: 0, target: 2000, max: 6000, min: 1000 },
        playbackRate: { max: 1.05, min: 0.95 },
      },
    ],
    periods: [
      {
        id: 'p7',
        start: 0.5,
        duration: undefined,
        eventStreams: [],
        adaptationSets: [set('video', 90_000, 180_000), set('audio', 48_000, 96_000)],
      },
    ],
    utcTimings: [CLOCK],
  };
}
