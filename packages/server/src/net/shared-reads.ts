import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** What is said when bytes have come: the first `length` bytes of `bytes`, good until the call returns. */
export type BytesTaken = (bytes: Buffer, length: number) => void;

/** How a socket of Node calls whoever gave it a buffer. False: nothing more is read until it is asked for. */
type ReadCallback = (this: Socket, length: number, bytes: Buffer) => boolean;

/** The socket's handle, as far as is needed here. */
interface ReadHandle {
  useUserBuffer?(bytes: Uint8Array): void;
  /** Node's HTTP parser reads at the handle itself unless this is set. */
  _consumed?: boolean;
}

type Keyed = Record<symbol, unknown> & { readonly _handle?: ReadHandle | null };

/** Where a socket keeps the buffer and the callback of its option `onread`. */
interface Places {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** Longest piece that is read at once, in bytes: as much as Node reads. */
const SIZE = 65_536;

/** Everybody's: read into and looked at in one turn. */
let shared: Buffer | undefined;

/** Asked of a socket that was made with the option, so that no name inside Node is believed. */
const places: Places | undefined = findPlaces();

function findPlaces(): Places | undefined {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  const options: ConnectOpts & SocketConstructorOpts = { onread: { buffer, callback } };
  const probe = new Socket(options);
  const keyed = probe as unknown as Keyed;
  const holding = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find((symbol) => keyed[symbol] === value);
  const found = { buffer: holding(buffer), callback: holding(callback) };
  probe.destroy();
  return found.buffer === undefined || found.callback === undefined ? undefined : (found as Places);
}

/**
 * Has an accepted socket read into one buffer that all such sockets share, and `taken` called in place of `data`: the
 * option `onread`, which Node has for sockets that dial alone. What a stream does for each piece (64 kB to read into,
 * a copy, an object, two ticks) costs more than to answer a request from memory. Ends, errors, `pause` and `resume`
 * stay as they are. {@link unshareReads} goes back.
 * @returns false where this Node does not let itself be asked so; nothing has changed then.
 */
export function shareReads(socket: Socket, taken: BytesTaken): boolean {
  const keyed = socket as unknown as Keyed;
  const handle = keyed._handle;
  if (places === undefined || typeof handle?.useUserBuffer !== 'function') return false;
  shared ??= Buffer.allocUnsafeSlow(SIZE);
  const callback: ReadCallback = (length, bytes) => {
    taken(bytes, length);
    return true;
  };
  keyed[places.callback] = callback;
  keyed[places.buffer] = shared;
  handle.useUserBuffer(shared);
  return true;
}

/**
 * From now on what comes goes through the socket's stream again, as a copy of its own. Node's HTTP parser has to take
 * it from there: versions of Node differ in what becomes of an error that the parser at the handle passes on.
 */
export function unshareReads(socket: Socket): void {
  const keyed = socket as unknown as Keyed;
  if (places === undefined || keyed[places.buffer] !== shared || shared === undefined) return;
  keyed[places.callback] = pushCopy;
  if (keyed._handle) keyed._handle._consumed = true;
}

const pushCopy: ReadCallback = function (length, bytes) {
  return this.push(ownCopy(bytes, length));
};

/** The first `length` bytes, to keep. */
export function ownCopy(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  bytes.copy(copy, 0, 0, length);
  return copy;
}
