import { parseRtmpUrl, type RtmpClientEvent, RtmpClientSession } from '@onair/media/rtmp';
import { handshakeCrypto } from '../../net/handshake-crypto.ts';
import type { Reach } from '../../net/index.ts';
import { type DialOptions, dialRtmp } from '../../net/rtmp-dial.ts';
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
  const { app, playpath, tcUrl } = address;
  const { socket, shaken } = dialRtmp(address, { ...options, reach });
  const session = new RtmpClientSession({
    nowMs: () => performance.now(),
    crypto: handshakeCrypto,
    intent: 'play',
    app,
    tcUrl,
    name: playpath,
    shaken,
  });
  const deadline = setTimeout(() => end.because('the source did not begin in time'), OPEN_TIMEOUT_MS);
  const silence = setTimeout(() => end.because('the source fell silent'), SILENCE_MS);
  const end = new SourceEnd(sink, () => {
    clearTimeout(deadline);
    clearTimeout(silence);
    socket.on('error', () => undefined);
    socket.destroy();
  });
  const send = (): void => {
    const bytes = session.takeOutput();
    if (bytes !== undefined) socket.write(bytes);
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
        if (event.redirect === undefined) end.because(`refused: ${event.code} ${event.description}`);
        else end.elsewhere(event.redirect);
        break;
      case 'status':
        if (OVER.has(event.code)) end.because(event.code);
        break;
      case 'call':
        if (event.transactionId !== 0) session.respond(event.transactionId, false, null);
        break;
    }
  };
  session.start();
  send();
  socket.on('data', (bytes: Uint8Array) =>
    end.guard(() => {
      silence.refresh();
      session.push(bytes);
      for (let event = session.next(); event !== undefined && !end.over; event = session.next())
        handle(event);
      if (!end.over) send();
    }),
  );
  socket.on('error', (error) => end.because(error.message));
  socket.on('close', () => end.because('the source closed the connection'));
  return { close: () => end.silently() };
}
