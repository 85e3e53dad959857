import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Ws from 'ws';
import { decodeFmp4Message } from '../../../packages/contracts/src/fmp4-socket/index.ts';
import type { Scope } from '../scope.ts';
import type { SeenBlock } from './node-peer.ts';

// It is a dependency of the server, not of the root.
const { WebSocket } = createRequire(new URL('../../../packages/server/package.json', import.meta.url))(
  'ws',
) as typeof Ws;

/** What a viewer gets from the server alone: what the stream is, to compare others with. */
export class Truth {
  readonly order: number[] = [];
  /** Of each block since {@link Truth.mark}, from its arrival at the server to here, ms. */
  readonly delays: number[] = [];
  /** Of all blocks. */
  bytes = 0;
  readonly #hashes = new Map<number, string>();

  /** @param address `ws://HOST/APP/NAME.fmp4` */
  constructor(scope: Scope, address: string) {
    const socket = new WebSocket(address);
    scope.defer(() => socket.terminate());
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (!binary) return;
      const { kind, header } = decodeFmp4Message(data);
      if (kind !== 'chunk') return;
      this.order.push(header.sequence);
      this.bytes += data.length;
      this.delays.push(Date.now() - header.wallClock / 1000);
      this.#hashes.set(header.sequence, createHash('sha256').update(data).digest('base64'));
    });
  }

  /** Delays count from here on. */
  mark(): void {
    this.delays.length = 0;
  }

  /**
   * What is wrong with what somebody got: `missing N`, `changed N`. Empty if it is the stream from some block on, nothing
   * missing, nothing twice, nothing changed.
   */
  faults(seen: readonly SeenBlock[]): string[] {
    const first = seen[0];
    if (first === undefined) return ['nothing'];
    const faults: string[] = [];
    let at = this.order.indexOf(first.sequence);
    if (at < 0) return [`unknown ${first.sequence}`];
    for (const { sequence, hash } of seen) {
      const wanted = this.order[at];
      // What is ahead of the one who compares cannot be judged yet.
      if (wanted === undefined) break;
      if (sequence !== wanted) faults.push(`missing ${wanted}`);
      if (this.#hashes.get(sequence) !== hash) faults.push(`changed ${sequence}`);
      if (faults.length > 0) break;
      at++;
    }
    return faults;
  }
}
