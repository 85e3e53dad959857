import { createSocket, type Socket } from 'node:dgram';
import type { Scope } from './scope.ts';

/** A path between browsers and a UDP port that loses packets. */
export interface LossyPath {
  /** UDP port on loopback for the browsers' side. */
  readonly port: number;
  /** Packets of RTP that came, by direction and payload type, e.g. `up 96`. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Passes packets on between whoever comes and `target` on loopback, and loses one of every `each` packets of RTP whose
 * payload type is among `lossy`. Heads of SRTP are in the clear (RFC 3711 §3.1).
 */
export async function lossyPath(
  scope: Scope,
  target: number,
  { each, lossy }: { readonly each: number; readonly lossy: ReadonlySet<number> },
): Promise<LossyPath> {
  const counts = new Map<string, number>();
  const passes = (direction: string, packet: Buffer): boolean => {
    const [first = 0, second = 0] = packet;
    const type = second & 0x7f;
    // RFC 7983 §7, RFC 5761 §4.
    if (first < 128 || first > 191 || (type >= 64 && type <= 95)) return true;
    const key = `${direction} ${type}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return !lossy.has(type) || count % each !== 0;
  };
  const near = createSocket('udp4');
  const far = new Map<number, Socket>();
  scope.defer(() => {
    for (const socket of [near, ...far.values()]) socket.close();
  });
  near.on('message', (packet, { port, address }) => {
    let socket = far.get(port);
    if (socket === undefined) {
      socket = createSocket('udp4');
      socket.on('error', () => undefined);
      socket.on('message', (back) => {
        if (passes('down', back)) near.send(back, port, address);
      });
      far.set(port, socket);
    }
    if (passes('up', packet)) socket.send(packet, target, '127.0.0.1');
  });
  await new Promise<void>((resolve) => near.bind(0, '127.0.0.1', resolve));
  return { port: near.address().port, counts };
}
