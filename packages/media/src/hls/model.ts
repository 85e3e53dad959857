/** A range of bytes of a resource. RFC 8216 §4.3.2.2. */
export interface ByteRange {
  /** Bytes. */
  readonly length: number;
  /** Bytes from the start; undefined continues the previous range of the same resource. */
  readonly offset: number | undefined;
}

/** `EXT-X-MAP`: the init segment in force. RFC 8216 §4.3.2.5. */
export interface InitMap {
  readonly uri: string;
  readonly byteRange?: ByteRange | undefined;
}

/** `EXT-X-KEY`: how segments are encrypted. RFC 8216 §4.3.2.4. */
export interface Key {
  /** `NONE`, `AES-128`, `SAMPLE-AES`, `SAMPLE-AES-CTR`. */
  readonly method: string;
  readonly uri?: string | undefined;
  /** Hexadecimal with `0x`. */
  readonly iv?: string | undefined;
  readonly keyFormat?: string | undefined;
  readonly keyFormatVersions?: string | undefined;
}

/** `EXT-X-PART`: a partial segment. RFC 8216bis §4.4.4.9. */
export interface Part {
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  /** The part begins with a sample that depends on none before. */
  readonly independent: boolean;
  readonly gap?: boolean | undefined;
  readonly byteRange?: ByteRange | undefined;
}

/** What stands in front of a segment, whole or still growing. */
export interface SegmentHead {
  /** `EXT-X-DISCONTINUITY` stands in front of it. RFC 8216 §4.3.2.3. */
  readonly discontinuity: boolean;
  /** Milliseconds since 1970-01-01 UTC of the first sample. RFC 8216 §4.3.2.6. */
  readonly programDateTime?: number | undefined;
  /** Init segment in force; the same object or equal values for a run of segments. */
  readonly map?: InitMap | undefined;
  readonly key?: Key | undefined;
  readonly parts: readonly Part[];
}

/** A whole segment. */
export interface Segment extends SegmentHead {
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  readonly title?: string | undefined;
  /** `EXT-X-GAP`: there is no media behind the address. RFC 8216bis §4.4.4.7. */
  readonly gap?: boolean | undefined;
  readonly byteRange?: ByteRange | undefined;
}

/** `EXT-X-SERVER-CONTROL`, all times in seconds. RFC 8216bis §4.4.3.8. */
export interface ServerControl {
  readonly canBlockReload: boolean;
  readonly canSkipUntil?: number | undefined;
  readonly canSkipDateRanges?: boolean | undefined;
  readonly holdBack?: number | undefined;
  readonly partHoldBack?: number | undefined;
}

/** `EXT-X-SKIP`: what a delta update leaves out. RFC 8216bis §4.4.5.2. */
export interface Skip {
  readonly skippedSegments: number;
  /** IDs of date ranges that left the playlist lately. */
  readonly recentlyRemovedDateRanges?: readonly string[] | undefined;
}

/** `EXT-X-PRELOAD-HINT`. RFC 8216bis §4.4.5.3. */
export interface PreloadHint {
  readonly type: 'PART' | 'MAP';
  readonly uri: string;
  /** Bytes. */
  readonly byteRangeStart?: number | undefined;
  readonly byteRangeLength?: number | undefined;
}

/** `EXT-X-RENDITION-REPORT`: how far another playlist of the presentation is. RFC 8216bis §4.4.5.4. */
export interface RenditionReport {
  readonly uri: string;
  readonly lastMsn: number | undefined;
  readonly lastPart?: number | undefined;
}

/** `EXT-X-DATERANGE`. RFC 8216 §4.3.2.7. */
export interface DateRange {
  readonly id: string;
  readonly class?: string | undefined;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly startDate: number | undefined;
  readonly endDate?: number | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
  readonly plannedDuration?: number | undefined;
  readonly endOnNext?: boolean | undefined;
  /** `X-…` and `SCTE35-…` attributes as they are written, quotes included. */
  readonly client: ReadonlyMap<string, string>;
}

/** `EXT-X-START`. RFC 8216 §4.3.5.2. */
export interface Start {
  /** Seconds from the start, or from the end if negative. */
  readonly timeOffset: number;
  readonly precise: boolean;
}

/** A media playlist. RFC 8216 §4.3.3, RFC 8216bis §4.4.3. */
export interface MediaPlaylist {
  readonly version: number;
  /** Whole seconds; never changes in the life of a playlist. */
  readonly targetDuration: number;
  /** Media sequence number of the first segment, those a delta update skips included. */
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly independentSegments: boolean;
  readonly type?: 'EVENT' | 'VOD' | undefined;
  readonly start?: Start | undefined;
  readonly serverControl?: ServerControl | undefined;
  /** `EXT-X-PART-INF` PART-TARGET in seconds. */
  readonly partTarget?: number | undefined;
  readonly skip?: Skip | undefined;
  /** Whole segments, oldest first, behind those skipped. */
  readonly segments: readonly Segment[];
  /** The segment that is still growing: its first parts. */
  readonly pending?: SegmentHead | undefined;
  readonly preloadHints: readonly PreloadHint[];
  readonly renditionReports: readonly RenditionReport[];
  readonly dateRanges: readonly DateRange[];
  /** No segment will be added. */
  readonly endList: boolean;
}

/** `EXT-X-MEDIA`. RFC 8216 §4.3.4.1. */
export interface Rendition {
  readonly type: 'AUDIO' | 'VIDEO' | 'SUBTITLES' | 'CLOSED-CAPTIONS';
  readonly groupId: string;
  readonly name: string;
  readonly uri?: string | undefined;
  /** BCP 47. */
  readonly language?: string | undefined;
  readonly default: boolean;
  readonly autoselect: boolean;
  readonly forced?: boolean | undefined;
  readonly characteristics?: string | undefined;
  readonly channels?: string | undefined;
  readonly instreamId?: string | undefined;
}

/** `EXT-X-STREAM-INF` with its address. RFC 8216 §4.3.4.2. */
export interface Variant {
  readonly uri: string;
  /** Highest bits per second of any segment, all renditions of the variant together. */
  readonly bandwidth: number;
  /** Bits per second over all segments. */
  readonly averageBandwidth?: number | undefined;
  readonly codecs?: string | undefined;
  /** Pixels. */
  readonly resolution?: { readonly width: number; readonly height: number } | undefined;
  /** Frames per second. */
  readonly frameRate?: number | undefined;
  readonly videoRange?: string | undefined;
  readonly name?: string | undefined;
  readonly audio?: string | undefined;
  readonly video?: string | undefined;
  readonly subtitles?: string | undefined;
  /** Group of captions, or `NONE`. */
  readonly closedCaptions?: string | undefined;
}

/** A multivariant playlist ("master playlist" in RFC 8216 §4.3.4). */
export interface MultivariantPlaylist {
  readonly version: number;
  readonly independentSegments: boolean;
  readonly start?: Start | undefined;
  readonly renditions: readonly Rendition[];
  readonly variants: readonly Variant[];
}
