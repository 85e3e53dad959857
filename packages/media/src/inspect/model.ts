import type { FileFormat } from '../file/index.ts';
import { ParseError } from '../model/index.ts';
import { filled, SENTENCES, type SentenceKey, type SentenceValues } from './sentences.ts';

/** Most findings that a report lists; further ones are counted. */
export const MAX_FINDINGS = 200;

/** How bad a finding is: the file is damaged; a player may stumble; good to know. */
export type Severity = 'error' | 'warning' | 'note';

/** Something worth telling about a file. */
export interface Finding {
  readonly severity: Severity;
  /** Stable: an error code of `docs/errors.md`, or a word of the inspector's own in small letters. */
  readonly code: string;
  /** A sentence for people, in English. */
  readonly message: string;
  /** Which one, and the values in it, if it is of the inspector's own: so it can be said in other languages. */
  readonly sentence?: SentenceKey;
  readonly values?: SentenceValues;
  /** Byte of the file where it shows. */
  readonly offset?: number;
  /** Track that it is about. */
  readonly trackId?: number;
}

/** One box, element, tag, packet or line of a file, in the order of the file. */
export interface Node {
  /** 0 at the top. */
  readonly depth: number;
  /** Four-character code, element name, tag type, PID, or name of an XML element. */
  readonly name: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes with header; undefined if the file does not tell. */
  readonly size: number | undefined;
  readonly headerBytes: number;
  /** What it says, `name=value` apart by blanks; empty if nothing is known. */
  readonly detail: string;
}

/** A course over time with equal steps. */
export interface Course {
  /** Seconds from one value to the next. */
  readonly step: number;
  /** From the first sample on; null where there is none. */
  readonly values: readonly (number | null)[];
}

/** Groups of pictures of a video track. */
export interface GopReport {
  readonly count: number;
  /** Pictures of a whole group; 0 if there is none. */
  readonly shortest: number;
  readonly longest: number;
  readonly average: number;
  /** Seconds of the longest. */
  readonly longestSeconds: number;
}

/** What was found of a track. */
export interface TrackReport {
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  /** Our name of the codec, else the file's. */
  readonly codec: string;
  /** RFC 6381; undefined if it cannot be told. */
  readonly codecString: string | undefined;
  readonly language?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
  /** Ticks per second. */
  readonly timebase: number;
  readonly samples: number;
  readonly keyframes: number;
  readonly bytes: number;
  /** Seconds of the presentation, the last sample's duration included. */
  readonly duration: number;
  /** Seconds. */
  readonly firstPts: number | undefined;
  readonly firstDts: number | undefined;
  readonly lastPts: number | undefined;
  /** Bits per second on average. */
  readonly bitrate: number;
  /** Pictures per second on average. */
  readonly frameRate?: number;
  /** Pictures are decoded in another order than shown. */
  readonly bFrames?: boolean;
  readonly gop?: GopReport;
  /** Samples whose decoding time does not lie behind that of the one before. */
  readonly backwards: number;
  /** Holes between a sample's end and the next sample, of more than half a second. */
  readonly gaps: number;
}

/** What the inspector found. */
export interface Report {
  readonly format: FileFormat | undefined;
  /** What people call it; absent if unknown. */
  readonly formatName?: string;
  /** Bytes of the file; undefined for a stream. */
  readonly size: number | undefined;
  /** Bytes that were read of it. */
  readonly bytesRead: number;
  /** Seconds from the first to the end of the last sample of all tracks. */
  readonly duration: number;
  /** Of an MP4. */
  readonly fragmented?: boolean;
  readonly tracks: readonly TrackReport[];
  readonly findings: readonly Finding[];
  /** Those that are not listed included. */
  readonly findingCount: number;
  /** Boxes, elements, tags, packets. */
  readonly nodeCount: number;
  readonly plots: {
    /** Bits per second. */
    readonly bitrate: Course;
    /** Pictures of the longest group that ended there. */
    readonly gop: Course;
    /** Seconds by which the sound is ahead of the picture at that place of the file. */
    readonly offset: Course;
  };
  /** Seconds by which the sound begins, and ends, after the picture. */
  readonly startOffset?: number;
  readonly endOffset?: number;
}

/** True if the file is damaged. */
export function isDamaged(report: Report): boolean {
  return report.findings.some(({ severity }) => severity === 'error');
}

/** Collects findings up to {@link MAX_FINDINGS}. */
export class Findings {
  readonly list: Finding[] = [];
  count = 0;

  /** Takes what others found, in their words. */
  add(finding: Finding): void {
    this.count++;
    // Errors must not be lost behind a flood of lesser things.
    if (this.list.length >= MAX_FINDINGS && finding.severity !== 'error') return;
    if (this.list.length >= 2 * MAX_FINDINGS) return;
    this.list.push(finding);
  }

  /** Says a sentence of the inspector's own. */
  say(
    severity: Severity,
    sentence: SentenceKey,
    values: SentenceValues,
    offset?: number,
    trackId?: number,
  ): void {
    this.add({
      severity,
      code: sentence.split('/', 1)[0]!,
      message: filled(SENTENCES[sentence], values),
      sentence,
      values,
      ...(offset === undefined ? {} : { offset }),
      ...(trackId === undefined ? {} : { trackId }),
    });
  }

  /** Takes what a parser threw. @param offset of what was parsed, if the error tells none of its own. */
  parse(error: ParseError, offset: number | undefined, severity: Severity = 'error'): void {
    const at = offset ?? error.offset;
    const message = `${error.message}.`;
    this.add({ severity, code: error.code, message, ...(at === undefined ? {} : { offset: at }) });
  }

  /** Runs `work`; a malformed thing becomes a finding at `offset` and undefined comes back. */
  attempt<T>(offset: number | undefined, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.parse(error, offset);
      return undefined;
    }
  }
}
