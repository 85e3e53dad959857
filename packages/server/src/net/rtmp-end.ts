import { ParseError } from '@onair/media';
import { CAPS_EX, type RtmpServerSession } from '@onair/media/rtmp';
import { cutSocket } from './cut-socket.ts';
import type { RtmpConnectRefusal } from './rtmp-handlers.ts';
import type { RtmpSocket } from './rtmp-socket.ts';

/** Longest time the last words of a closed session may take to leave, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * Asks a client that can to connect anew (Enhanced RTMP v2, NetConnection.Connect.ReconnectRequest).
 * @param tcUrl where; the same address if left out.
 */
export function askToReconnect(session: RtmpServerSession, description: string, tcUrl?: string): void {
  if (((session.connection?.capsEx ?? 0) & CAPS_EX.reconnect) === 0) return;
  const code = 'NetConnection.Connect.ReconnectRequest';
  session.sendStatus(0, 'status', code, description, tcUrl === undefined ? undefined : { tcUrl });
}

/** Closes a session; what it still has to say goes out if the peer takes it soon. @param stuck the peer takes nothing. */
export function lastWords(session: RtmpServerSession, socket: RtmpSocket, stuck: boolean): void {
  session.close();
  const bytes = socket.writableNeedDrain ? undefined : session.takeOutput();
  if (bytes === undefined) {
    if (stuck) cutSocket(socket);
    else socket.destroy();
    return;
  }
  socket.removeAllListeners('data');
  socket.resume();
  socket.end(bytes);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('finish', () => socket.destroySoon());
  socket.once('close', () => clearTimeout(timer));
}

/** Code of an error that says what was wrong with the input or the wish; undefined for a fault of ours. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof ParseError) return error.code;
  const named = error as { readonly name?: unknown; readonly code?: unknown } | null;
  return named?.name === 'HubError' && typeof named.code === 'string' ? named.code : undefined;
}

/** A connection is not let in. @param redirect rtmp URL of where it should go instead. */
export function notAdmitted(reason: string, redirect?: string): RtmpConnectRefusal {
  const refusal = { refused: 'NetConnection.Connect.Rejected', reason } as const;
  return redirect === undefined ? refusal : { ...refusal, redirect };
}
