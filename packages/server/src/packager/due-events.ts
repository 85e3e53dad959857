import { decodeEvent, type Sample, type TimedEvent } from '@onair/media';

/** Events that wait until the media reach them. */
export class DueEvents {
  /** By time. */
  readonly #waiting: TimedEvent[] = [];

  /** Takes a sample of the stream's event track. */
  add(sample: Sample): void {
    const event = decodeEvent(sample.data);
    if (event === undefined) return;
    let at = this.#waiting.length;
    while (at > 0 && this.#waiting[at - 1]!.time > event.time) at--;
    this.#waiting.splice(at, 0, event);
  }

  /** Takes out those that belong in front of media at `time` µs of stream time. */
  take(time: number): TimedEvent[] {
    let due = 0;
    while (due < this.#waiting.length && this.#waiting[due]!.time <= time) due++;
    return due === 0 ? [] : this.#waiting.splice(0, due);
  }
}
