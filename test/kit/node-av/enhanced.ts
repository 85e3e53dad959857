import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';

const SCRIPT = fileURLToPath(new URL('./enhanced.mjs', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../.cache/node-av/node_modules/node-av', import.meta.url));

function run(args: readonly string[]): Child {
  return new Child('node-av', process.execPath, [SCRIPT, ...args], {
    env: { ...process.env, NODE_AV: FOLDER },
  });
}

/** Publishes a media file in real time by Enhanced RTMP, with FFmpeg 8.1. The caller stops it. */
export function publishEnhanced(file: string, url: string): Child {
  return run(['publish', file, url]);
}

/** A track as FFmpeg 8.1 found and decoded it. */
export interface DecodedTrack {
  /** FFmpeg's number of the codec, or `data`. */
  readonly codec: number | 'data';
  readonly frames: number;
}

/** Plays by Enhanced RTMP and decodes for so long. Rejects with the program's words if it fails. */
export async function decodeEnhanced(url: string, seconds: number): Promise<DecodedTrack[]> {
  const child = run(['play', url, String(seconds)]);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const timer = setTimeout(() => child.signal('SIGKILL'), seconds * 1000 + 25_000);
  await child.exited;
  clearTimeout(timer);
  const line = out.split('\n').find((one) => one.startsWith('{"tracks"'));
  if (line === undefined) throw new Error(`node-av played nothing: ${child.errorLines.join('\n')}`);
  return (JSON.parse(line) as { readonly tracks: DecodedTrack[] }).tracks;
}
