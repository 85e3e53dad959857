import { ParseError } from '../model/errors.ts';

/** Window we announce in both directions, in bytes. */
export const WINDOW_ACK_SIZE = 2_500_000;
/** However small a window the peer sets, one acknowledgement per so many received bytes is the most it gets. */
export const MIN_ACK_STEP = 65_536;

/** Counts bytes both ways for acknowledgements (RTMP 1.0 §5.4.3, §5.4.4). */
export class AckWindow {
  #received = 0;
  #announced = 0; // received bytes at our last acknowledgement
  #step = WINDOW_ACK_SIZE;
  #acknowledged = 0;

  /** Bytes received since the connection began. */
  get receivedBytes(): number {
    return this.#received;
  }

  /** What the peer acknowledged last, modulo 2^32. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The peer's window, in bytes. */
  setWindow(size: number): void {
    this.#step = Math.max(size, MIN_ACK_STEP);
  }

  /** Counts bytes that came in. */
  received(count: number): void {
    this.#received += count;
  }

  /** The sequence number to acknowledge now, modulo 2^32, or undefined while it is too early. */
  due(): number | undefined {
    if (this.#received - this.#announced < this.#step) return undefined;
    this.#announced = this.#received;
    return this.#received % 0x1_0000_0000;
  }

  /** The peer acknowledged. */
  noteAcknowledged(sequence: number): void {
    this.#acknowledged = sequence;
  }
}

/** Commands a peer may send per second, and at once after a pause. */
export const COMMANDS_PER_SECOND = 100;

/** Token bucket over the peer's commands. */
export class CommandBudget {
  readonly #nowMs: () => number;
  #tokens = COMMANDS_PER_SECOND;
  #atMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  /** To be called per command. @throws ParseError `RTMP_COMMAND_FLOOD`. */
  spend(): void {
    const nowMs = this.#nowMs();
    const earned = (Math.max(0, nowMs - this.#atMs) * COMMANDS_PER_SECOND) / 1000;
    this.#tokens = Math.min(COMMANDS_PER_SECOND, this.#tokens + earned);
    this.#atMs = nowMs;
    if (this.#tokens < 1) {
      throw new ParseError(
        'RTMP_COMMAND_FLOOD',
        'RTMP 1.0 §7.2',
        `more than ${COMMANDS_PER_SECOND} commands per second`,
      );
    }
    this.#tokens--;
  }
}
