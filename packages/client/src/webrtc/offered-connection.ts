import { type HttpSession, offerTo } from './http-session.ts';

/**
 * One connection at a time that is offered to a server by WHIP or WHEP, with its session there: the next one ends the
 * one before. Nothing is told of a connection that is not the present one any more.
 */
export class OfferedConnection {
  #abort = new AbortController();
  #connection: RTCPeerConnection | undefined;
  #session: HttpSession | undefined;

  /** The connection at present. */
  get connection(): RTCPeerConnection | undefined {
    return this.#connection;
  }

  /** True once the server has answered. */
  get answered(): boolean {
    return this.#session !== undefined;
  }

  /**
   * Takes a new connection; it is closed by {@link OfferedConnection.drop}.
   * @param changed told that it is `connected`, or `failed` or `disconnected`.
   * @returns what offers it: true once it is answered, false if it was dropped meanwhile. It throws OfferRefused.
   */
  take(
    connection: RTCPeerConnection,
    changed: (state: RTCPeerConnectionState) => void,
  ): (address: string, token?: string) => Promise<boolean> {
    this.drop();
    const abort = new AbortController();
    this.#abort = abort;
    this.#connection = connection;
    connection.addEventListener('connectionstatechange', () => {
      const { connectionState } = connection;
      // connected, disconnected, failed.
      if (/ed$/.test(connectionState) && connection === this.#connection) changed(connectionState);
    });
    return async (address, token) => {
      try {
        const session = await offerTo(address, connection, token, abort.signal);
        if (abort.signal.aborted) session.end();
        else this.#session = session;
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      }
      return !abort.signal.aborted;
    };
  }

  /** Ends the connection, on the server too. Safe to call twice. */
  drop(): void {
    this.#abort.abort();
    this.#session?.end();
    this.#session = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }
}
