import type { Server, Socket } from 'node:net';
import type { Config } from '../config/index.ts';
import { addressGroup, channels, isLoopback, normalizeAddress } from '../observe/index.ts';

/** Every open connection of a listener: counted per address, capped, and closed at the end. */
export class HttpConnections {
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #settings: () => Config['http'];
  readonly #exempt: (address: string) => boolean;

  /** @param exempt addresses that are not counted besides loopback, e.g. trusted proxies. */
  constructor(settings: () => Config['http'], exempt: (address: string) => boolean) {
    this.#settings = settings;
    this.#exempt = exempt;
  }

  /** Connections open now. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Watches the connections of a listener. */
  watch(server: Server): void {
    server.maxConnections = this.#settings().maxConnections;
    server.on('drop', (data) => this.#refused(normalizeAddress(data?.remoteAddress), 'total'));
    server.on('connection', (socket: Socket) => this.#opened(socket));
  }

  #opened(socket: Socket): void {
    const address = normalizeAddress(socket.remoteAddress);
    const group = addressGroup(address);
    const counted = !isLoopback(address) && !this.#exempt(address);
    const open = this.#perAddress.get(group) ?? 0;
    if (counted && open >= this.#settings().maxConnectionsPerAddress) {
      this.#refused(address, 'address');
      socket.destroy();
      return;
    }
    if (counted) this.#perAddress.set(group, open + 1);
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (!counted) return;
      const left = this.#perAddress.get(group)! - 1;
      if (left > 0) this.#perAddress.set(group, left);
      else this.#perAddress.delete(group);
    });
  }

  #refused(address: string, reason: string): void {
    channels.connectionRefused.publish({ listener: 'http', reason, address });
  }

  /** Closes whatever is still open, at once. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
