import { createHash, randomUUID } from 'node:crypto';
import { MICROSECONDS, rescale, type Timebase, ticks } from '@onair/media';
import { readSplice, type SpliceInfo, SYSTEM_TIMEBASE, textsOfTag } from '@onair/media/mpegts';
import type { EventDraft } from '../../hub/index.ts';

/** An event of a transport stream. */
export interface TsEvent {
  readonly draft: EventDraft;
  /** Time in µs of the publisher's clock. */
  readonly at: number;
}

/** An immediate splice that comes again so soon is the same, in µs: senders repeat them to be heard. */
const REPEATED_US = 10_000_000;
/** Breaks that have begun and are remembered for their end. */
const MAX_BREAKS = 64;
/** Longest break that is believed, in µs: a day. */
const MAX_BREAK_US = 86_400_000_000;

/** Makes timed events of the SCTE 35 sections and ID3 tags of a transport stream. */
export class TsEvents {
  /** Ids of the events that began a break, by number of the splice. */
  readonly #breaks = new Map<number, string>();
  readonly #immediate = new Map<string, { readonly id: string; readonly at: number }>();

  /**
   * The event of a section; undefined for one that asks for nothing. The same splice has the same id however often it
   * is sent, even by a publisher that came back.
   * @param now newest time of the publisher's clock, in µs. @param unwrap a time of 33 bits on that clock, 90 kHz.
   * @throws ParseError for a section that cannot be read.
   */
  ofSection(section: Uint8Array, now: number, unwrap: (pts: number) => number): TsEvent | undefined {
    const info = readSplice(section);
    if (info === undefined) return undefined;
    const { kind, event, pts, segmentation } = info;
    const at = pts === undefined ? now : microseconds(unwrap(pts));
    const id = this.#idOf(info, section, now);
    const of = kind === 'in' && event !== undefined ? this.#breaks.get(event) : undefined;
    if (kind === 'out' && event !== undefined) this.#begin(event, id);
    const duration = info.duration === undefined ? 0 : Math.min(MAX_BREAK_US, microseconds(info.duration));
    const hex = Buffer.from(section).toString('hex');
    const draft: EventDraft = {
      id,
      name: `scte35-${kind}`,
      duration: kind === 'in' ? 0 : duration,
      data: {
        ...(event === undefined ? {} : { event }),
        ...(segmentation === undefined ? {} : { segmentation }),
      },
      splice: { kind, section: hex, ...(of === undefined ? {} : { of }) },
    };
    return { draft, at };
  }

  /** The events of an ID3 tag: ours as they were made, any other text as `id3`. @param time 90 kHz, unwrapped. */
  ofTag(tag: Uint8Array, time: number): TsEvent[] {
    const at = microseconds(time);
    return textsOfTag(tag).flatMap(({ event, description, value }): TsEvent[] => {
      // A splice comes as its section too, which is the one that players know.
      if (event?.splice !== undefined) return [];
      if (event === undefined) {
        return [{ draft: { id: randomUUID(), name: 'id3', data: { description, value } }, at }];
      }
      const { time: _time, ...draft } = event;
      return [{ draft, at }];
    });
  }

  #idOf({ kind, event, pts }: SpliceInfo, section: Uint8Array, now: number): string {
    const number = event ?? `x${createHash('sha256').update(section).digest('hex').slice(0, 12)}`;
    if (pts !== undefined) return `scte35-${number}-${kind}-${pts}`;
    const key = `${number}-${kind}`;
    const before = this.#immediate.get(key);
    if (before !== undefined && Math.abs(now - before.at) < REPEATED_US) return before.id;
    const id = `scte35-${key}-${randomUUID()}`;
    keepNewest(this.#immediate, key, { id, at: now });
    return id;
  }

  #begin(event: number, id: string): void {
    keepNewest(this.#breaks, event, id);
  }
}

function keepNewest<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_BREAKS && oldest !== undefined) map.delete(oldest);
}

function microseconds(time: number): number {
  return rescale(ticks(time), SYSTEM_TIMEBASE as Timebase, MICROSECONDS);
}
