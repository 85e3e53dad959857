import {
  type ClientRefusal,
  parseRtmpUrl,
  type RtmpClientEvent,
  RtmpClientSession,
  type RtmpUrl,
} from '@onair/media/rtmp';
import { handshakeCrypto } from '../../net/handshake-crypto.ts';
import type { Reach } from '../../net/index.ts';
import { ChallengeAnswers } from '../../net/rtmp-challenge-answer.ts';
import { type DialOptions, dialRtmp } from '../../net/rtmp-dial.ts';
import type { RtmpSocket } from '../../net/rtmp-socket.ts';
import { OPEN_TIMEOUT_MS, type PullAttempt, type PullSink, SILENCE_MS, SourceEnd } from './source.ts';

/** Statuses after which nothing more comes. */
const OVER: ReadonlySet<string> = new Set([
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Play.UnpublishNotify',
  'NetConnection.Connect.Closed',
  // It is about to end; the next attempt asks at the configured address.
  'NetConnection.Connect.ReconnectRequest',
]);

/** Data messages that belong to playing, not to the stream. */
const CONTROL_DATA: ReadonlySet<string> = new Set(['onStatus', '|RtmpSampleAccess', 'onPlayStatus']);

/**
 * Plays a stream of an RTMP server in any of the ways of RTMP.
 * @throws ParseError for another address, Error for one out of reach.
 */
export function openRtmpSource(
  url: string,
  sink: PullSink,
  reach: Reach,
  options: DialOptions = {},
): PullAttempt {
  const address = parseRtmpUrl(url);
  const answers = new ChallengeAnswers(address);
  let current = open(address);
  function open(to: RtmpUrl): { readonly socket: RtmpSocket; readonly session: RtmpClientSession } {
    const { app, playpath: name, tcUrl } = to;
    const { socket, shaken } = dialRtmp(to, { ...options, reach });
    const nowMs = (): number => performance.now();
    const session = new RtmpClientSession({
      nowMs,
      crypto: handshakeCrypto,
      intent: 'play',
      app,
      tcUrl,
      name,
      shaken,
    });
    return { socket, session };
  }
  const deadline = setTimeout(() => end.because('the source did not begin in time'), OPEN_TIMEOUT_MS);
  const silence = setTimeout(() => end.because('the source fell silent'), SILENCE_MS);
  const end = new SourceEnd(sink, () => {
    clearTimeout(deadline);
    clearTimeout(silence);
    current.socket.on('error', () => undefined);
    current.socket.destroy();
  });
  const send = (): void => {
    const bytes = current.session.takeOutput();
    if (bytes !== undefined) current.socket.write(bytes);
  };
  const refused = ({ code, description, redirect }: ClientRefusal): void => {
    const next = answers.next(description);
    if (next === undefined) {
      if (redirect === undefined) end.because(`refused: ${code} ${description}`);
      else end.elsewhere(redirect);
      return;
    }
    const { socket } = current;
    socket.removeAllListeners('data').removeAllListeners('close');
    socket.destroy();
    current = open(next);
    begin();
  };
  const handle = (event: RtmpClientEvent): void => {
    switch (event.kind) {
      case 'media':
        clearTimeout(deadline);
        sink.tag(event);
        break;
      case 'data':
        if (!CONTROL_DATA.has(event.name)) sink.data(event, event.timestampMs);
        break;
      case 'refused':
        refused(event);
        break;
      case 'status':
        if (OVER.has(event.code)) end.because(event.code);
        break;
      case 'call':
        if (event.transactionId !== 0) current.session.respond(event.transactionId, false, null);
        break;
    }
  };
  const begin = (): void => {
    const { socket, session } = current;
    session.start();
    send();
    socket.on('data', (bytes: Uint8Array) =>
      end.guard(() => {
        silence.refresh();
        session.push(bytes);
        for (let event = session.next(); event !== undefined && !end.over; event = session.next())
          handle(event);
        if (!end.over && current.session === session) send();
      }),
    );
    socket.on('error', (error) => {
      if (current.socket === socket) end.because(error.message);
    });
    socket.on('close', () => end.because('the source closed the connection'));
  };
  begin();
  return { close: () => end.silently() };
}
