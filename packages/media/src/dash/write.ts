import type {
  AdaptationSet,
  Descriptor,
  EventStream,
  Mpd,
  Period,
  ProducerReferenceTime,
  Representation,
  SegmentTemplate,
  ServiceDescription,
  TimelineSegment,
} from './model.ts';
import { decimal, writeDateTime, writeDuration } from './values.ts';
import { writeXml, type XmlElement, xmlElement } from './xml.ts';

/** Namespace of every element. */
export const MPD_NAMESPACE = 'urn:mpeg:dash:schema:mpd:2011';

/** The text of an MPD, elements in the order of the schema (ISO/IEC 23009-1 §5.3, Annex B). */
export function writeMpd(mpd: Mpd): string {
  return writeXml(
    xmlElement(
      'MPD',
      {
        xmlns: MPD_NAMESPACE,
        profiles: mpd.profiles.join(','),
        type: mpd.type,
        availabilityStartTime: optional(mpd.availabilityStartTime, writeDateTime),
        publishTime: optional(mpd.publishTime, writeDateTime),
        mediaPresentationDuration: optional(mpd.mediaPresentationDuration, writeDuration),
        minimumUpdatePeriod: optional(mpd.minimumUpdatePeriod, writeDuration),
        minBufferTime: writeDuration(mpd.minBufferTime),
        timeShiftBufferDepth: optional(mpd.timeShiftBufferDepth, writeDuration),
        suggestedPresentationDelay: optional(mpd.suggestedPresentationDelay, writeDuration),
        maxSegmentDuration: optional(mpd.maxSegmentDuration, writeDuration),
      },
      [
        ...mpd.serviceDescriptions.map(serviceDescription),
        ...mpd.periods.map(period),
        ...mpd.utcTimings.map((timing) => descriptor('UTCTiming', timing)),
      ],
    ),
  );
}

function serviceDescription({ id, latency, playbackRate }: ServiceDescription): XmlElement {
  const children: XmlElement[] = [];
  if (latency !== undefined) {
    const { referenceId, target, max, min } = latency;
    children.push(xmlElement('Latency', { referenceId, target, max, min }));
  }
  if (playbackRate !== undefined) {
    const { max, min } = playbackRate;
    children.push(xmlElement('PlaybackRate', { max: optional(max, decimal), min: optional(min, decimal) }));
  }
  return xmlElement('ServiceDescription', { id }, children);
}

function period(value: Period): XmlElement {
  return xmlElement(
    'Period',
    { id: value.id, start: writeDuration(value.start), duration: optional(value.duration, writeDuration) },
    [...value.eventStreams.map(eventStream), ...value.adaptationSets.map(adaptationSet)],
  );
}

function eventStream({ schemeIdUri, value, timescale, events }: EventStream): XmlElement {
  return xmlElement(
    'EventStream',
    { schemeIdUri, value, timescale },
    events.map(({ presentationTime, duration, id, content }) =>
      xmlElement('Event', { presentationTime, duration, id }, content),
    ),
  );
}

function adaptationSet(set: AdaptationSet): XmlElement {
  const { id, contentType, mimeType, lang, segmentAlignment, startWithSAP } = set;
  const profiles = set.profiles?.join(',');
  const attributes = { id, contentType, mimeType, lang, profiles, segmentAlignment, startWithSAP };
  return xmlElement('AdaptationSet', attributes, [
    ...set.supplementalProperties.map((property) => descriptor('SupplementalProperty', property)),
    ...set.inbandEventStreams.map((scheme) => descriptor('InbandEventStream', scheme)),
    ...set.producerReferenceTimes.map(producerReferenceTime),
    ...set.roles.map((role) => descriptor('Role', role)),
    ...set.representations.map(representation),
  ]);
}

function producerReferenceTime(time: ProducerReferenceTime): XmlElement {
  const { id, type, presentationTime, inband, utcTiming } = time;
  return xmlElement(
    'ProducerReferenceTime',
    { id, inband, type, wallClockTime: writeDateTime(time.wallClockTime), presentationTime },
    utcTiming === undefined ? [] : [descriptor('UTCTiming', utcTiming)],
  );
}

function representation(value: Representation): XmlElement {
  const { id, mimeType, bandwidth, codecs, width, height, frameRate, sar, audioSamplingRate } = value;
  const channels = value.audioChannelConfiguration;
  return xmlElement(
    'Representation',
    { id, mimeType, bandwidth, codecs, width, height, sar, frameRate, audioSamplingRate },
    [
      ...(channels === undefined ? [] : [descriptor('AudioChannelConfiguration', channels)]),
      segmentTemplate(value.segmentTemplate),
    ],
  );
}

function segmentTemplate(template: SegmentTemplate): XmlElement {
  const { timescale, startNumber, presentationTimeOffset, initialization, media } = template;
  return xmlElement(
    'SegmentTemplate',
    {
      timescale,
      presentationTimeOffset,
      availabilityTimeOffset: optional(template.availabilityTimeOffset, (seconds) =>
        seconds === Number.POSITIVE_INFINITY ? 'INF' : decimal(seconds),
      ),
      availabilityTimeComplete: template.availabilityTimeComplete,
      // The default; where addresses carry times there are no numbers to tell.
      startNumber: startNumber === 1 ? undefined : startNumber,
      initialization,
      media,
    },
    [xmlElement('SegmentTimeline', {}, segments(template.timeline))],
  );
}

/** Equal segments that follow one another share an element; `@t` stands where it is needed. */
function segments(timeline: readonly TimelineSegment[]): XmlElement[] {
  const elements: XmlElement[] = [];
  for (let i = 0; i < timeline.length; ) {
    const { t, d } = timeline[i]!;
    let repeat = 0;
    for (let next = timeline[i + 1]; next !== undefined; next = timeline[i + repeat + 1]) {
      if (next.d !== d || next.t !== t + d * (repeat + 1)) break;
      repeat++;
    }
    const before = timeline[i - 1];
    const follows = before !== undefined && before.t + before.d === t;
    elements.push(xmlElement('S', { t: follows ? undefined : t, d, r: repeat === 0 ? undefined : repeat }));
    i += repeat + 1;
  }
  return elements;
}

function descriptor(name: string, { schemeIdUri, value }: Descriptor): XmlElement {
  return xmlElement(name, { schemeIdUri, value });
}

function optional<V>(value: V | undefined, write: (value: V) => string): string | undefined {
  return value === undefined ? undefined : write(value);
}
