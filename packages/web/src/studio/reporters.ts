import { Peer } from '@onair/client/peer';
import { signal } from '@preact/signals';

/** How the line to the reporters is. */
export type LineState = 'connecting' | 'open' | 'lost' | 'failed';

/** Where a recorder keeps who it is, so that its reporters find it after a reload. */
const KEPT = 'onair.recorder';

/** Reporters that are called at one time; each is a picture to record. */
const MAX_REPORTERS = 16;

/** Calls every reporter that says that it is there, and shows its picture as long as the call lasts. */
export class Reporters {
  readonly state = signal<LineState>('connecting');
  readonly #peer: Peer;

  constructor(events: { joined(from: string, media: MediaStream): void; left(from: string): void }) {
    const { id, secret } = identity();
    const peer = new Peer(id, { secret });
    this.#peer = peer;
    peer.on('open', () => {
      this.state.value = 'open';
    });
    peer.on('lost', () => {
      this.state.value = 'lost';
    });
    peer.on('error', () => {
      this.state.value = 'failed';
    });
    peer.on('hello', (from) => {
      if (peer.calls.length >= MAX_REPORTERS) return;
      if (peer.calls.some(({ remote }) => remote === from)) return;
      const call = peer.call(from);
      call.on('stream', (media) => events.joined(from, media));
      call.on('end', () => events.left(from));
    });
  }

  /** The page that a reporter opens. Behind the `#`, so that it is in no log of a server. */
  get address(): string {
    return `${location.origin}/reporter#${this.#peer.id}`;
  }

  /** Ends every call. */
  close(): void {
    this.#peer.close();
  }
}

/** The same one as before the page was loaded again. */
function identity(): { readonly id: string; readonly secret: string } {
  try {
    const [id, secret] = (sessionStorage.getItem(KEPT) ?? '').split(' ');
    if (id !== undefined && secret !== undefined) return { id, secret };
  } catch {
    // storage is refused: another one each time
  }
  const [id, secret] = [crypto.randomUUID(), crypto.randomUUID()];
  try {
    sessionStorage.setItem(KEPT, `${id} ${secret}`);
  } catch {
    // likewise
  }
  return { id, secret };
}
