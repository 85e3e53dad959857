import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseRtmpUrl, type RtmpClientEvent, RtmpClientSession } from '@onair/media/rtmp';
import { handshakeCrypto } from '../../net/handshake-crypto.ts';
import { lookupWithin, type Reach } from '../../net/index.ts';
import { OPEN_TIMEOUT_MS, type PullAttempt, type PullSink, SILENCE_MS, SourceEnd } from './source.ts';

/** Statuses after which nothing more comes. */
const OVER: ReadonlySet<string> = new Set([
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Play.UnpublishNotify',
  'NetConnection.Connect.Closed',
]);

/** Data messages that belong to playing, not to the stream. */
const CONTROL_DATA: ReadonlySet<string> = new Set(['onStatus', '|RtmpSampleAccess', 'onPlayStatus']);

/** Plays a stream of an RTMP server: rtmp:// or rtmps://. @throws ParseError for another address, Error for one out of reach. */
export function openRtmpSource(url: string, sink: PullSink, reach: Reach): PullAttempt {
  const { scheme, host, port, app, playpath, tcUrl } = parseRtmpUrl(url);
  const lookup = lookupWithin(reach, host);
  const to = { host, port, ...(lookup === undefined ? {} : { lookup }) };
  const session = new RtmpClientSession({
    nowMs: () => performance.now(),
    crypto: handshakeCrypto,
    intent: 'play',
    app,
    tcUrl,
    name: playpath,
  });
  const socket: Socket =
    scheme === 'rtmps' ? connectTls({ ...to, servername: host }) : connect({ ...to, noDelay: true });
  const deadline = setTimeout(() => end.because('the source did not begin in time'), OPEN_TIMEOUT_MS);
  const end = new SourceEnd(sink, () => {
    clearTimeout(deadline);
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
  socket.once(scheme === 'rtmps' ? 'secureConnect' : 'connect', () => {
    session.start();
    send();
  });
  socket.on('data', (bytes) =>
    end.guard(() => {
      session.push(bytes);
      for (let event = session.next(); event !== undefined && !end.over; event = session.next())
        handle(event);
      if (!end.over) send();
    }),
  );
  socket.setTimeout(SILENCE_MS, () => end.because('the source fell silent'));
  socket.on('error', (error) => end.because(error.message));
  socket.on('close', () => end.because('the source closed the connection'));
  return { close: () => end.silently() };
}
