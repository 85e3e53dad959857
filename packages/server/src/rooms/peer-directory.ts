import type { PeerBody, PeerServerMessage } from '@onair/contracts/peers';
import { RoomError } from './room-directory.ts';

/** One connection of a peer. */
export interface PeerLine {
  /** Must not throw. */
  send(message: PeerServerMessage): void;
  /** Another connection of the same peer goes on. */
  replaced(): void;
}

interface Place {
  readonly secret: string;
  line: PeerLine | undefined;
  /** When the id is free for others, ms; while there is a line it is not. */
  freeAt: number;
}

/** How long a peer that is gone keeps its id, ms. */
const KEPT_MS = 60_000;

/** Who has which id, and what one peer says to another. Knows no sockets. */
export class PeerDirectory {
  readonly #places = new Map<string, Place>();
  readonly #maxPeers: number;
  readonly #same: (given: string, wanted: string) => boolean;

  /**
   * @param maxPeers ids at one time.
   * @param same compares secrets in a time that does not depend on them.
   */
  constructor(maxPeers: number, same: (given: string, wanted: string) => boolean) {
    this.#maxPeers = maxPeers;
    this.#same = same;
  }

  /** Ids that are taken. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Gives an id to a connection; from an older one of the same peer it is taken away.
   * @param now monotonic ms.
   * @throws RoomError `PEER_ID_TAKEN`, `OVERLOADED`
   */
  claim(id: string, secret: string, line: PeerLine, now: number): void {
    const known = this.#places.get(id);
    if (known !== undefined && (known.line !== undefined || known.freeAt > now)) {
      if (!this.#same(secret, known.secret)) throw new RoomError('PEER_ID_TAKEN', 'another peer has this id');
      const old = known.line;
      known.line = line;
      old?.replaced();
      return;
    }
    this.#places.delete(id);
    if (this.#places.size >= this.#maxPeers) this.#sweep(now);
    if (this.#places.size >= this.#maxPeers) {
      throw new RoomError('OVERLOADED', `there are ${this.#maxPeers} peers`);
    }
    this.#places.set(id, { secret, line, freeAt: 0 });
  }

  /** Passes a message on, with the sender's id on it. False if nobody has the id `to`. */
  pass(from: string, to: string, body: PeerBody): boolean {
    const line = this.#places.get(to)?.line;
    line?.send({ ...body, from });
    return line !== undefined;
  }

  /** A connection has ended; its id stays kept for its peer for a minute. */
  leave(id: string, line: PeerLine, now: number): void {
    const place = this.#places.get(id);
    if (place?.line !== line) return;
    place.line = undefined;
    place.freeAt = now + KEPT_MS;
  }

  #sweep(now: number): void {
    for (const [id, { line, freeAt }] of this.#places) {
      if (line === undefined && freeAt <= now) this.#places.delete(id);
    }
  }
}
