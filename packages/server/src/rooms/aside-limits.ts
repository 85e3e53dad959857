import type { RoomMessage } from '@onair/contracts/rooms';
import { Allowance } from '../net/index.ts';
import { RoomError } from './room-directory.ts';

/** Limits that hold at the moment. */
export interface AsideSettings {
  readonly chatPerSecond: number;
  readonly relayBytesPerSecond: number;
  readonly relayFileBytes: number;
}

/** Files of one member whose bytes are counted. */
const MAX_FILES = 16;
const BURST_SECONDS = 3;
/** The talker passes on what comes over its channels to those who have none. */
const TALKER_FACTOR = 10;

/** How much one member may say and send over the server beside the picture. */
export class AsideLimits {
  readonly #settings: () => AsideSettings;
  readonly #chat: Allowance;
  readonly #bytes: Allowance;
  readonly #files = new Map<string, number>();
  #talks = false;

  /** @param now monotonic milliseconds. */
  constructor(settings: () => AsideSettings, now: number) {
    this.#settings = settings;
    const chat = () => settings().chatPerSecond * (this.#talks ? TALKER_FACTOR : 1);
    this.#chat = new Allowance(chat, BURST_SECONDS, now);
    this.#bytes = new Allowance(() => settings().relayBytesPerSecond, BURST_SECONDS, now);
  }

  /**
   * Counts a message. @param talks true for who is on air.
   * @throws RoomError `TOO_MANY_REQUESTS`, or `ROOM_MESSAGE_INVALID` for a file that is too large.
   */
  take(message: RoomMessage, now: number, talks: boolean): void {
    this.#talks = talks;
    if (message.type === 'chat' || message.type === 'reaction' || message.type === 'file_offer') {
      if (!this.#chat.take(now)) throw new RoomError('TOO_MANY_REQUESTS', 'not so much at once, please');
    } else if (message.type === 'file_part') this.#part(message.id, message.data.length, now);
  }

  #part(id: string, length: number, now: number): void {
    const { relayFileBytes } = this.#settings();
    const sum = (this.#files.get(id) ?? 0) + length;
    // Parts that got lost go again.
    if (sum > 2 * relayFileBytes) {
      throw new RoomError(
        'ROOM_MESSAGE_INVALID',
        `over the server a file has at most ${relayFileBytes} bytes`,
      );
    }
    if (!this.#bytes.take(now, length)) throw new RoomError('TOO_MANY_REQUESTS', 'fewer bytes, please');
    if (!this.#files.has(id) && this.#files.size >= MAX_FILES) {
      const [oldest] = this.#files.keys();
      if (oldest !== undefined) this.#files.delete(oldest);
    }
    this.#files.set(id, sum);
  }
}
