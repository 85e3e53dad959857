import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { FlvReader } from '@onair/media/flv';
import { lookupWithin, type Reach } from '../../net/index.ts';
import { OPEN_TIMEOUT_MS, type PullAttempt, type PullSink, SILENCE_MS, SourceEnd } from './source.ts';

/** Longest response head read, in bytes. */
const MAX_HEAD_BYTES = 16_384;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** First byte of a packet of a transport stream, ISO/IEC 13818-1 §2.4.3.2; FLV begins with another one. */
const TS_SYNC = 0x47;

/**
 * Fetches an endless FLV file or transport stream, whichever comes: http:// or https://.
 * @throws TypeError for what is no URL, Error for what is out of reach.
 */
export function openHttpSource(url: string, sink: PullSink, reach: Reach): PullAttempt {
  const target = new URL(url);
  const lookup = lookupWithin(reach, target.hostname);
  const options = {
    agent: false,
    ...(lookup === undefined ? {} : { lookup }),
    maxHeaderSize: MAX_HEAD_BYTES,
    headers: {
      accept: 'video/x-flv, video/mp2t, */*;q=0.1',
      'accept-encoding': 'identity',
      'user-agent': 'onair',
    },
  };
  const deadline = setTimeout(() => end.because('the source did not begin in time'), OPEN_TIMEOUT_MS);
  const end = new SourceEnd(sink, () => {
    clearTimeout(deadline);
    request.on('error', () => undefined);
    request.destroy();
  });
  const answered = (response: IncomingMessage): void => {
    const { statusCode = 0, headers } = response;
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      end.guard(() => end.elsewhere(new URL(headers.location!, target).href));
      return;
    }
    if (statusCode !== 200) {
      end.because(`HTTP ${statusCode}`);
      return;
    }
    const reader = new FlvReader();
    const takeFlv = (bytes: Uint8Array): void => {
      reader.push(bytes);
      for (let item = reader.next(); item !== undefined && !end.over; item = reader.next()) {
        if (item.kind === 'header') continue;
        if (item.tag.type !== 'script') clearTimeout(deadline);
        sink.tag(item.tag);
      }
    };
    const takeTs = (bytes: Uint8Array): void => {
      if (sink.ts(bytes)) clearTimeout(deadline);
    };
    let take: ((bytes: Uint8Array) => void) | undefined;
    response.on('data', (bytes: Buffer) => {
      take ??= bytes[0] === TS_SYNC ? takeTs : takeFlv;
      end.guard(() => take?.(bytes));
    });
    response.on('end', () => end.because('the source ended'));
    response.on('error', (error) => end.because(error.message));
    response.on('close', () => end.because('the source closed the connection'));
  };
  const request: ClientRequest =
    target.protocol === 'https:' ? getTls(target, options, answered) : get(target, options, answered);
  request.on('error', (error) => end.because(error.message));
  request.setTimeout(SILENCE_MS, () => end.because('the source fell silent'));
  return { close: () => end.silently() };
}
