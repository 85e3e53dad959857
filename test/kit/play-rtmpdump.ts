import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport, runPlayer } from './report.ts';
import { WireClock } from './witness.ts';

const FLV_HEADER = 9 + 4;
const TAG_HEADER = 11;
const AUDIO = 8;
const VIDEO = 9;

/** Counts the tags of an FLV byte stream; only as much as a test needs. */
export class FlvCounter {
  readonly arrivals = new Arrivals();
  /** Timestamps of video tags that carry a frame, milliseconds without wrap-around. */
  readonly videoMs: number[] = [];
  /** Timestamps of audio tags that carry a frame, milliseconds. */
  readonly audioMs: number[] = [];
  readonly #clock = new WireClock();
  #rest = Buffer.alloc(0);
  #begun = false;

  /** The next bytes, cut anywhere. */
  push(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    let at = 0;
    if (!this.#begun) {
      if (this.#rest.length < FLV_HEADER) return;
      if (this.#rest.toString('latin1', 0, 3) !== 'FLV') throw new Error('not an FLV stream');
      this.#begun = true;
      at = FLV_HEADER;
    }
    while (this.#rest.length - at >= TAG_HEADER) {
      const size = this.#rest.readUIntBE(at + 1, 3);
      const end = at + TAG_HEADER + size + 4;
      if (this.#rest.length < end) break;
      const type = this.#rest[at]! & 31;
      const ms = this.#clock.at(this.#rest.readUIntBE(at + 4, 3) + this.#rest[at + 7]! * 2 ** 24);
      // The second byte tells configuration (0) from media (1) for H.264 and AAC.
      if (size > 2 && this.#rest[at + TAG_HEADER + 1] === 1) {
        if (type === VIDEO) {
          this.arrivals.add();
          this.videoMs.push(ms);
        } else if (type === AUDIO) this.audioMs.push(ms);
      }
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
  }
}

/** Receive `seconds` of a live RTMP stream with rtmpdump (librtmp), which does not decode. */
export async function playWithRtmpdump(
  url: string,
  seconds: number,
  timeoutMs = seconds * 1000 + 20_000,
): Promise<PlayReport> {
  const child = new Child('rtmpdump', 'rtmpdump', ['--rtmp', url, '--live', '--quiet', '-o', '-']);
  const counter = new FlvCounter();
  const errors: string[] = [];
  let done = false;
  const enough = (): void => {
    if (!done) child.signal('SIGINT');
    done = true;
  };
  child.stdout.on('data', (bytes: Buffer) => {
    try {
      counter.push(bytes);
      const { videoMs } = counter;
      // Its own --stop option does not end a live stream.
      if (videoMs.length > 0 && videoMs.at(-1)! - videoMs[0]! >= seconds * 1000) enough();
    } catch (error) {
      errors.push(String(error));
    }
  });
  const { late } = await runPlayer(child, timeoutMs);
  errors.push(...child.errorLines.filter((line) => /error|warning|failed|closed/i.test(line)));
  if (late) errors.push('rtmpdump did not end in time');
  else if (!done) errors.push(`rtmpdump ended with ${child.exit?.code}`);
  const { audioMs, videoMs, arrivals } = counter;
  return {
    player: 'rtmpdump',
    frames: videoMs.length,
    audioMs: audioMs.length > 1 ? audioMs.at(-1)! - audioMs[0]! : 0,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    maxStepMs: maxStep(videoMs),
    stalls: 0,
    errors,
  };
}
