/**
 * Every rule that HLS output is held to, by name: the clause it comes from and what it says. RFC 8216, RFC 8216bis
 * (draft-pantos-hls-rfc8216bis), and Apple's HLS Authoring Specification.
 */
export const HLS_RULES = {
  text: [
    'RFC 8216 §4.1',
    'a playlist is what the grammar says: #EXTM3U first, UTF-8, one kind, single tags once',
  ],
  'media-type': [
    'RFC 8216 §4',
    'playlists are application/vnd.apple.mpegurl or audio/mpegurl, media what they are',
  ],
  gzip: ['HLS Authoring §9.21', 'playlists come in gzip for who takes it'],
  'target-duration': [
    'RFC 8216 §4.3.3.1',
    'no rounded duration, told or real, exceeds a target that never changes',
  ],
  version: ['RFC 8216bis §8', 'the version is as high as the tags need, the multivariant one no lower'],
  variants: [
    'HLS Authoring §9',
    'a multivariant playlist tells CODECS, RESOLUTION, FRAME-RATE and groups, all true',
  ],
  bandwidth: ['RFC 8216bis §4.4.6.2', 'BANDWIDTH is the peak that can be measured, within 10 %'],
  'keyframe-at-start': ['HLS Authoring §9.7', 'each video segment begins with a keyframe'],
  status: ['RFC 8216 §6.2.2', 'what is listed is 200, what is gone or never was is 404 or 410'],
  'segment-duration': ['RFC 8216 §4.3.2.1', 'EXTINF is the duration of the media within 1 ms'],
  continuity: ['RFC 8216 §4.3.2.3', 'media goes on without a gap or overlap unless a discontinuity says so'],
  'start-together': ['HLS Authoring §9', 'sound and picture of a segment begin within one audio frame'],
  update: ['RFC 8216 §6.2.1', 'segments are added at the end and leave at the front; nothing inside changes'],
  sequence: ['RFC 8216 §6.2.2', 'media and discontinuity sequence rise by what left'],
  window: ['RFC 8216 §6.2.2', 'at least three target durations are listed'],
  pace: ['RFC 8216 §6.2.1', 'a new segment is listed 1.5 target durations after the last at the latest'],
  'removed-segment': ['RFC 8216 §6.2.2', 'a removed segment stays for its duration and that of the playlist'],
  date: ['RFC 8216 §4.3.2.6', 'EXT-X-PROGRAM-DATE-TIME is there, and true to the media within a frame'],
  'date-agreement': ['RFC 8216 §6.2.4', 'one instant has one date in all renditions'],
  'server-control': ['RFC 8216bis §4.4.3.8', 'hold-backs and skip boundary are as far as they must be'],
  'part-duration': [
    'RFC 8216bis §4.4.4.9',
    'parts fill 85 % of PART-TARGET, never exceed it, and tell their duration',
  ],
  'part-content': ['RFC 8216bis §4.4.4.9', 'the parts of a segment are its media'],
  'old-parts': ['RFC 8216bis §4.4.4.9', 'parts leave three target durations from the end, not before'],
  independent: ['RFC 8216bis §4.4.4.9', 'INDEPENDENT=YES stands at parts with a keyframe, at all of them'],
  'blocking-reload': [
    'RFC 8216bis §6.2.5.2',
    'a blocking reload is held until there, 400 too far ahead, 503 too late',
  ],
  delta: [
    'RFC 8216bis §6.2.5.1',
    'a delta update is the full playlist, without what lies behind the skip boundary',
  ],
  'preload-hint': [
    'RFC 8216bis §4.4.5.3',
    'a hint comes true, but never behind another init segment, and who asks for it is held until it does',
  ],
  'rendition-report': ['RFC 8216bis §4.4.5.4', 'every other playlist is reported, as far as it truly is'],
  transport: ['RFC 8216bis §B.1', 'low latency comes from one host, over HTTP/2 where there is TLS'],
  'transport-stream': [
    'ISO/IEC 13818-1 §2.4',
    'MPEG-TS segments begin with their tables, keep counters and clock, and are whole',
  ],
  caching: ['RFC 8216bis §6.2.5', 'caches may keep what will not change, one answer for all who wait'],
} as const satisfies Record<string, readonly [clause: string, says: string]>;

/** Name of one rule. */
export type HlsRule = keyof typeof HLS_RULES;

/** A rule that output breaks. */
export interface Fault {
  readonly rule: HlsRule;
  /** `must`: a client may refuse it; `should`: it plays, but not as well as it could. */
  readonly severity: 'must' | 'should';
  /** e.g. `RFC 8216 §4.3.3.1`. */
  readonly clause: string;
  readonly message: string;
}

/** Reports that a rule which is fixed elsewhere was broken. */
export type Report = (clause: string, message: string) => void;

/** Gathers faults, one rule at a time. */
export class Faults {
  readonly #list: Fault[] = [];

  /** All so far, in order. */
  get list(): Fault[] {
    return this.#list;
  }

  /** Adds what breaks `rule` under the rule's own clause. */
  add(rule: HlsRule, message: string, severity: Fault['severity'] = 'must'): void {
    this.#list.push({ rule, severity, clause: HLS_RULES[rule][0], message });
  }

  /** A reporter of faults of `rule`. */
  of(rule: HlsRule, severity: Fault['severity'] = 'must'): Report {
    return (clause, message) => {
      this.#list.push({ rule, severity, clause, message });
    };
  }
}
