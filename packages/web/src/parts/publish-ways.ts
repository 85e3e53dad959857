import type { ServerInfo } from '@onair/contracts/api';

/** Where an encoder sends a stream. */
export interface PublishTarget {
  /** `rtmp://HOST/APP`, what OBS calls the server. */
  readonly server: string;
  /** The stream's name, what OBS calls the stream key. */
  readonly key: string;
  /** Both in one, as ffmpeg wants it. */
  readonly url: string;
}

/** The port of RTMP, left out of addresses. */
const RTMP_PORT = 1935;

/** Stands where a person puts the secret of a stream key. */
const KEY_PLACE = 'KEY';

/** Where to publish `app/name`: at the address that the server tells, else at the host of the page. */
export function publishTarget(
  app: string,
  name: string,
  hostname: string,
  info: Pick<ServerInfo, 'ports' | 'publishUrl' | 'keyNeeded'> | undefined,
): PublishTarget {
  const port = info?.ports.rtmp ?? RTMP_PORT;
  const guessed = `rtmp://${hostname}${port === RTMP_PORT ? '' : `:${port}`}/`;
  const host = info?.publishUrl?.replace(/[^/]*$/, '') ?? guessed;
  const server = `${host}${app}`;
  const key = info?.keyNeeded === true ? `${name}?key=${KEY_PLACE}` : name;
  return { server, key, url: `${server}/${key}` };
}

/** A command that sends a file as if it were live. */
export function ffmpegLine(url: string): string {
  const target = url.includes('?') ? `"${url}"` : url; // shells take a bare question mark for a pattern
  return `ffmpeg -re -stream_loop -1 -i video.mp4 -c:v libx264 -preset veryfast -tune zerolatency -g 60 -pix_fmt yuv420p -c:a aac -f flv ${target}`;
}

/** A command that sends the built-in test picture. */
export const DEMO_LINE = 'npx onair demo';
