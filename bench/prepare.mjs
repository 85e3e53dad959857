// What the benchmarks need besides this repository: the C tools, source media, and peers from npm.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
/** The root of the workspace. */
export const root = resolve(here, '..');
/** Everything made by the benchmarks; not under version control. */
export const work = join(here, 'work');
/** The compiled C tools. */
export const bin = join(here, 'bin');

/** Compile the load tools. */
export async function buildTools() {
  await run('make', ['-C', join(here, 'tools')]);
}

/**
 * An FLV file of 60 s with a constant rate and keyframes every 2 s. `kbit` is its whole rate in kbit/s, `pictures` per second;
 * with half as many pictures the sound has half as many frames, too.
 */
export async function sourceFile(kbit, picture, pictures = 30) {
  const kind = [kbit, picture, pictures === 30 ? undefined : pictures].filter((part) => part !== undefined);
  const path = join(work, `source-${kind.join('-')}.flv`);
  if (existsSync(path)) return path;
  mkdirSync(work, { recursive: true });
  const size = picture ?? (kbit > 1000 ? '1280x720' : '640x360');
  const video = `${kbit - 64}k`;
  const part = `${path}.part`;
  await run('ffmpeg', [
    ...[
      '-hide_banner',
      '-loglevel',
      'error',
      '-nostdin',
      '-y',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=${size}:rate=${pictures}`,
    ],
    ...[
      '-f',
      'lavfi',
      '-i',
      `sine=frequency=440:sample_rate=${pictures < 30 ? 22050 : 44100}`,
      '-t',
      '60',
      '-c:v',
      'libx264',
    ],
    ...['-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
    ...[
      '-g',
      `${pictures * 2}`,
      '-keyint_min',
      `${pictures * 2}`,
      '-sc_threshold',
      '0',
      '-b:v',
      video,
      '-minrate',
      video,
    ],
    ...['-maxrate', video, '-bufsize', video, '-nal-hrd', 'cbr', '-c:a', 'aac', '-b:a', '64k', '-ac', '2'],
    ...['-f', 'flv', part],
  ]);
  await run('mv', [part, path]);
  return path;
}

/** Install one version of node-media-server beside, never into the workspace. Returns its folder. */
export async function installNodeMediaServer(version) {
  const folder = join(work, `node-media-server-${version}`);
  const module = join(folder, 'node_modules/node-media-server');
  if (existsSync(join(module, 'package.json'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  await run(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', `node-media-server@${version}`],
    {
      cwd: folder,
    },
  );
  return folder;
}
