/** A scheme with a value, as many elements of an MPD are. ISO/IEC 23009-1 §5.8.2. */
export interface Descriptor {
  readonly schemeIdUri: string;
  readonly value?: string | undefined;
}

/** What latency and speed the service is made for. ISO/IEC 23009-1 Annex K. */
export interface ServiceDescription {
  readonly id: number;
  /** Milliseconds behind the time that the reference tells. */
  readonly latency?: {
    readonly target?: number | undefined;
    readonly min?: number | undefined;
    readonly max?: number | undefined;
    /** Id of the {@link ProducerReferenceTime} that latency counts from. */
    readonly referenceId?: number | undefined;
  };
  /** Factors of normal speed within which a player may catch up or fall back. */
  readonly playbackRate?: { readonly min?: number | undefined; readonly max?: number | undefined };
}

/** Ties a media time to the wall clock of the producer. ISO/IEC 23009-1 §5.12. */
export interface ProducerReferenceTime {
  readonly id: number;
  readonly type: 'encoder' | 'captured' | 'application';
  /** Milliseconds since the Unix epoch. */
  readonly wallClockTime: number;
  /** Ticks of the media, as `tfdt` and composition offsets tell it. */
  readonly presentationTime: number;
  /** `prft` boxes stand in the segments too. */
  readonly inband?: boolean | undefined;
  readonly utcTiming?: Descriptor | undefined;
}

/** One segment of a timeline; the writer gathers equal ones into `@r`. ISO/IEC 23009-1 §5.3.9.6. */
export interface TimelineSegment {
  /** Ticks of the media: earliest presentation time. */
  readonly t: number;
  /** Ticks. */
  readonly d: number;
}

/** How the addresses and times of segments are told. ISO/IEC 23009-1 §5.3.9.4. */
export interface SegmentTemplate {
  /** Ticks per second. */
  readonly timescale: number;
  readonly initialization: string;
  readonly media: string;
  /** Value of `$Number$` for the first segment of the timeline. */
  readonly startNumber: number;
  /** Ticks of the media at the beginning of the period. */
  readonly presentationTimeOffset: number;
  /** Seconds before its end at which a segment can be asked for. */
  readonly availabilityTimeOffset?: number | undefined;
  /** False: a segment that can be asked for may still be growing. */
  readonly availabilityTimeComplete?: boolean | undefined;
  readonly timeline: readonly TimelineSegment[];
}

/** One quality of a track. ISO/IEC 23009-1 §5.3.5. */
export interface Representation {
  readonly id: string;
  /** Bits per second of a constant channel that plays it after `minBufferTime`. */
  readonly bandwidth: number;
  /** Where it is not that of the set. ISO/IEC 23009-1 §5.3.7.2. */
  readonly mimeType?: string | undefined;
  /** RFC 6381. */
  readonly codecs: string;
  /** Pixels. */
  readonly width?: number | undefined;
  /** Pixels. */
  readonly height?: number | undefined;
  /** Frames per second: `30` or `30000/1001`. */
  readonly frameRate?: string | undefined;
  /** Width to height of one pixel, `1:1`. */
  readonly sar?: string | undefined;
  /** Samples per second. */
  readonly audioSamplingRate?: number | undefined;
  readonly audioChannelConfiguration?: Descriptor | undefined;
  readonly segmentTemplate: SegmentTemplate;
}

/** Representations that can be exchanged for one another. ISO/IEC 23009-1 §5.3.3. */
export interface AdaptationSet {
  readonly id: number;
  readonly contentType: 'video' | 'audio' | 'text';
  readonly mimeType: string;
  /** BCP 47. */
  readonly lang?: string | undefined;
  /** Those of the MPD that this set keeps to, if not all. ISO/IEC 23009-1 §5.3.7.2, §8.1. */
  readonly profiles?: readonly string[] | undefined;
  readonly segmentAlignment: boolean;
  /** Type of the access point that every segment starts with; 1 is a closed group of pictures, 0 none in some. */
  readonly startWithSAP: number;
  /** What is true of all representations and may be passed over. ISO/IEC 23009-1 §5.8.4.9. */
  readonly supplementalProperties: readonly Descriptor[];
  /** Schemes of the `emsg` boxes in its segments. ISO/IEC 23009-1 §5.10.3.2. */
  readonly inbandEventStreams: readonly Descriptor[];
  readonly roles: readonly Descriptor[];
  readonly producerReferenceTimes: readonly ProducerReferenceTime[];
  readonly representations: readonly Representation[];
}

/** One event of a stream. ISO/IEC 23009-1 §5.10.2.3. */
export interface MpdEvent {
  /** Ticks of the stream's timescale, from the beginning of the period. */
  readonly presentationTime: number;
  /** Ticks. */
  readonly duration?: number | undefined;
  readonly id?: number | undefined;
  readonly content: string;
}

/** Events that the MPD carries itself. ISO/IEC 23009-1 §5.10.2. */
export interface EventStream {
  readonly schemeIdUri: string;
  readonly value?: string | undefined;
  /** Ticks per second. */
  readonly timescale: number;
  readonly events: readonly MpdEvent[];
}

/** A span in which tracks and parameters stay the same. ISO/IEC 23009-1 §5.3.2. */
export interface Period {
  readonly id: string;
  /** Seconds from the beginning of the presentation. */
  readonly start: number;
  /** Seconds, where it is known. */
  readonly duration?: number | undefined;
  readonly eventStreams: readonly EventStream[];
  readonly adaptationSets: readonly AdaptationSet[];
}

/** A media presentation description. Times without a unit are seconds. ISO/IEC 23009-1 §5.3.1. */
export interface Mpd {
  readonly type: 'dynamic' | 'static';
  readonly profiles: readonly string[];
  /** Milliseconds since the Unix epoch: where the presentation's time begins. */
  readonly availabilityStartTime?: number | undefined;
  /** Milliseconds since the Unix epoch: when this version was made. */
  readonly publishTime?: number | undefined;
  readonly minimumUpdatePeriod?: number | undefined;
  readonly mediaPresentationDuration?: number | undefined;
  readonly minBufferTime: number;
  readonly timeShiftBufferDepth?: number | undefined;
  readonly suggestedPresentationDelay?: number | undefined;
  readonly maxSegmentDuration?: number | undefined;
  readonly serviceDescriptions: readonly ServiceDescription[];
  readonly periods: readonly Period[];
  readonly utcTimings: readonly Descriptor[];
}
