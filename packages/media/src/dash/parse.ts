import { ParseError } from '../model/errors.ts';
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
import { readBoolean, readCount, readDateTime, readDuration, readNumber } from './values.ts';
import { MPD_NAMESPACE } from './write.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Most segments of one timeline, repeats counted. */
export const MAX_TIMELINE_SEGMENTS = 100_000;

const CLAUSE = 'ISO/IEC 23009-1 §5.3';

/** Order of the children that we know, per element. ISO/IEC 23009-1 Annex B. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  MPD: [
    'ProgramInformation',
    'BaseURL',
    'Location',
    'PatchLocation',
    'ServiceDescription',
    'Period',
    'UTCTiming',
  ],
  ServiceDescription: ['Scope', 'Latency', 'PlaybackRate'],
  Period: ['BaseURL', 'SegmentTemplate', 'AssetIdentifier', 'EventStream', 'AdaptationSet'],
  AdaptationSet: [
    'AudioChannelConfiguration',
    'EssentialProperty',
    'SupplementalProperty',
    'InbandEventStream',
    'ProducerReferenceTime',
    'Resync',
    'Accessibility',
    'Role',
    'BaseURL',
    'SegmentTemplate',
    'Representation',
  ],
  Representation: [
    'AudioChannelConfiguration',
    'EssentialProperty',
    'SupplementalProperty',
    'InbandEventStream',
    'ProducerReferenceTime',
    'Resync',
    'BaseURL',
    'SegmentTemplate',
  ],
};

/**
 * Reads an MPD of the kind we write: segment templates with a timeline. Elements and attributes it does not know are
 * passed over, as a player must; those it knows must be right and in the order of the schema.
 * @throws ParseError `DASH_XML`, `DASH_LIMIT`, `DASH_ELEMENT` or `DASH_VALUE`.
 */
export function parseMpd(text: string): Mpd {
  const root = parseXml(text);
  if (root.name !== 'MPD') throw wrong(`the root element is ${root.name}`);
  if (root.attributes.get('xmlns') !== MPD_NAMESPACE) throw wrong('the namespace is not that of an MPD');
  const node = new Node(root);
  const type = node.text('type') ?? 'static';
  if (type !== 'static' && type !== 'dynamic') throw wrong(`type ${type}`);
  return {
    type,
    profiles: node.need('profiles', (value) => value.split(',')),
    availabilityStartTime: node.read('availabilityStartTime', readDateTime),
    publishTime: node.read('publishTime', readDateTime),
    minimumUpdatePeriod: node.read('minimumUpdatePeriod', readDuration),
    mediaPresentationDuration: node.read('mediaPresentationDuration', readDuration),
    minBufferTime: node.need('minBufferTime', readDuration),
    timeShiftBufferDepth: node.read('timeShiftBufferDepth', readDuration),
    suggestedPresentationDelay: node.read('suggestedPresentationDelay', readDuration),
    maxSegmentDuration: node.read('maxSegmentDuration', readDuration),
    serviceDescriptions: node.all('ServiceDescription', serviceDescription),
    periods: node.all('Period', period),
    utcTimings: node.all('UTCTiming', descriptor),
  };
}

/** An element whose children stand in the order of the schema. */
class Node {
  readonly #element: XmlElement;

  constructor(element: XmlElement) {
    this.#element = element;
    const order = ORDER[element.name];
    let last = 0;
    for (const { name } of element.children) {
      const place = order?.indexOf(name) ?? -1;
      if (place < 0) continue;
      if (place < last) throw wrong(`${name} stands behind ${order![last]} in ${element.name}`);
      last = place;
    }
  }

  get content(): string {
    return this.#element.text;
  }

  text(name: string): string | undefined {
    return this.#element.attributes.get(name);
  }

  read<V>(name: string, read: (value: string) => V): V | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : read(value);
  }

  need<V>(name: string, read: (value: string) => V): V {
    const value = this.text(name);
    if (value === undefined) throw wrong(`${this.#element.name} has no ${name}`);
    return read(value);
  }

  all<V>(name: string, read: (node: Node) => V): V[] {
    return this.#element.children
      .filter((child) => child.name === name)
      .map((child) => read(new Node(child)));
  }

  one<V>(name: string, read: (node: Node) => V): V | undefined {
    const found = this.all(name, read);
    if (found.length > 1) throw wrong(`${name} twice in ${this.#element.name}`);
    return found[0];
  }
}

function serviceDescription(node: Node): ServiceDescription {
  const latency = node.one('Latency', (inner) => ({
    target: inner.read('target', readCount),
    min: inner.read('min', readCount),
    max: inner.read('max', readCount),
    referenceId: inner.read('referenceId', readCount),
  }));
  const playbackRate = node.one('PlaybackRate', (inner) => ({
    min: inner.read('min', readNumber),
    max: inner.read('max', readNumber),
  }));
  return {
    id: node.read('id', readCount) ?? 0,
    ...(latency === undefined ? {} : { latency }),
    ...(playbackRate === undefined ? {} : { playbackRate }),
  };
}

function period(node: Node): Period {
  return {
    id: node.need('id', (value) => value),
    start: node.need('start', readDuration),
    duration: node.read('duration', readDuration),
    eventStreams: node.all('EventStream', eventStream),
    adaptationSets: node.all('AdaptationSet', adaptationSet),
  };
}

function eventStream(node: Node): EventStream {
  return {
    schemeIdUri: node.need('schemeIdUri', (value) => value),
    value: node.text('value'),
    timescale: node.read('timescale', readCount) ?? 1,
    events: node.all('Event', (event) => ({
      presentationTime: event.read('presentationTime', readCount) ?? 0,
      duration: event.read('duration', readCount),
      id: event.read('id', readCount),
      content: event.content,
    })),
  };
}

function adaptationSet(node: Node): AdaptationSet {
  const contentType = node.need('contentType', (value) => value);
  if (contentType !== 'video' && contentType !== 'audio' && contentType !== 'text') {
    throw wrong(`contentType ${contentType}`);
  }
  const representations = node.all('Representation', representation);
  // An attribute of both elements: that of the Representation goes before (§5.3.7.2).
  const mimeType = node.text('mimeType') ?? representations[0]?.mimeType;
  if (
    mimeType === undefined ||
    representations.some((one) => (one.mimeType ?? node.text('mimeType')) === undefined)
  ) {
    throw wrong('neither AdaptationSet nor Representation has mimeType');
  }
  return {
    id: node.need('id', readCount),
    contentType,
    mimeType,
    lang: node.text('lang'),
    profiles: node.read('profiles', (value) => value.split(',')),
    segmentAlignment: node.read('segmentAlignment', readBoolean) ?? false,
    startWithSAP: node.read('startWithSAP', readCount) ?? 0,
    supplementalProperties: node.all('SupplementalProperty', descriptor),
    inbandEventStreams: node.all('InbandEventStream', descriptor),
    roles: node.all('Role', descriptor),
    producerReferenceTimes: node.all('ProducerReferenceTime', producerReferenceTime),
    representations,
  };
}

function producerReferenceTime(node: Node): ProducerReferenceTime {
  const type = node.text('type') ?? 'encoder';
  if (type !== 'encoder' && type !== 'captured' && type !== 'application') throw wrong(`type ${type}`);
  return {
    id: node.need('id', readCount),
    type,
    wallClockTime: node.need('wallClockTime', readDateTime),
    presentationTime: node.need('presentationTime', readCount),
    inband: node.read('inband', readBoolean),
    utcTiming: node.one('UTCTiming', descriptor),
  };
}

function representation(node: Node): Representation {
  const template = node.one('SegmentTemplate', segmentTemplate);
  if (template === undefined) throw wrong('a Representation has no SegmentTemplate');
  return {
    id: node.need('id', (value) => value),
    bandwidth: node.need('bandwidth', readCount),
    mimeType: node.text('mimeType'),
    codecs: node.need('codecs', (value) => value),
    width: node.read('width', readCount),
    height: node.read('height', readCount),
    frameRate: node.text('frameRate'),
    sar: node.text('sar'),
    audioSamplingRate: node.read('audioSamplingRate', readCount),
    audioChannelConfiguration: node.one('AudioChannelConfiguration', descriptor),
    segmentTemplate: template,
  };
}

function segmentTemplate(node: Node): SegmentTemplate {
  const timeline = node.one('SegmentTimeline', segments);
  if (timeline === undefined) throw wrong('a SegmentTemplate has no SegmentTimeline');
  return {
    timescale: node.read('timescale', readCount) ?? 1,
    initialization: node.need('initialization', (value) => value),
    media: node.need('media', (value) => value),
    startNumber: node.read('startNumber', readCount) ?? 1,
    presentationTimeOffset: node.read('presentationTimeOffset', readCount) ?? 0,
    availabilityTimeOffset: node.read('availabilityTimeOffset', readNumber),
    availabilityTimeComplete: node.read('availabilityTimeComplete', readBoolean),
    timeline,
  };
}

function segments(node: Node): TimelineSegment[] {
  const timeline: TimelineSegment[] = [];
  let next = 0;
  for (const { t, d, r } of node.all('S', (inner) => ({
    t: inner.read('t', readCount),
    d: inner.need('d', readCount),
    r: inner.read('r', readCount) ?? 0,
  }))) {
    if (d === 0) throw wrong('a segment of no duration');
    if (t !== undefined && t < next) throw wrong(`segments overlap at ${t}`);
    if (timeline.length + r >= MAX_TIMELINE_SEGMENTS) {
      throw new ParseError(
        'DASH_LIMIT',
        'ISO/IEC 23009-1 §5.3.9.6',
        `more than ${MAX_TIMELINE_SEGMENTS} segments`,
      );
    }
    next = t ?? next;
    for (let i = 0; i <= r; i++) {
      timeline.push({ t: next, d });
      next += d;
    }
  }
  return timeline;
}

function descriptor(node: Node): Descriptor {
  return { schemeIdUri: node.need('schemeIdUri', (value) => value), value: node.text('value') };
}

function wrong(message: string): ParseError {
  return new ParseError('DASH_ELEMENT', CLAUSE, message);
}
