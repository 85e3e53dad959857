import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BURNT_CLOCK, burntClockCells } from '@onair/contracts/burnt-clock';

/** Pixels of the film. */
const WIDTH = 320;
const HEIGHT = 180;
/** Pictures per second; picture N carries the number N as milliseconds of its burnt-in clock. */
export const COUNTER_FPS = 25;

/** Containers that a film is made in. */
export const COUNTER_FILES = ['mp4', 'fmp4', 'flv', 'ts', 'webm', 'vp8'] as const;
/** Container of a film. */
export type CounterFile = (typeof COUNTER_FILES)[number];

/** Name of a film's file in a container. */
export function counterFileName(film: string, file: CounterFile): string {
  return film + ENDINGS[file];
}
const ENDINGS: Readonly<Record<CounterFile, string>> = {
  mp4: '.mp4',
  fmp4: '-fragments.mp4',
  flv: '.flv',
  ts: '.ts',
  webm: '.webm',
  vp8: '.vp8.webm',
};

const QUIET = ['-hide_banner', '-loglevel', 'error', '-y'];

/** How a film differs from the others. */
export interface CounterFilm {
  /** Part of the names of its files. */
  readonly name: string;
  readonly seconds: number;
  /** Pictures of a group. */
  readonly gop: number;
  readonly bFrames: number;
}

/** Makes one film with sound in every container, in WebM as VP9 and as VP8. Returns paths by container. */
export function makeCounterFilm(folder: string, film: CounterFilm): Record<CounterFile, string> {
  const { name, seconds, gop, bFrames } = film;
  const input = [
    ...[
      '-f',
      'rawvideo',
      '-pix_fmt',
      'gray',
      '-s',
      `${WIDTH}x${HEIGHT}`,
      '-r',
      String(COUNTER_FPS),
      '-i',
      '-',
    ],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...['-pix_fmt', 'yuv420p', '-g', String(gop), '-shortest'],
  ];
  const path = (file: CounterFile): string => join(folder, counterFileName(name, file));
  const mp4 = path('mp4');
  const webm = path('webm');
  const pictures = drawCounters(seconds * COUNTER_FPS);
  const avc = [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '30',
    '-bf',
    String(bFrames),
    '-c:a',
    'aac',
    mp4,
  ];
  const fast = ['-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k', '-c:a', 'libopus'];
  const vp8 = path('vp8');
  execFileSync('ffmpeg', [...QUIET, ...input, ...avc], { input: pictures });
  execFileSync('ffmpeg', [...QUIET, ...input, '-c:v', 'libvpx-vp9', ...fast, webm], { input: pictures });
  execFileSync('ffmpeg', [...QUIET, ...input, '-c:v', 'libvpx', ...fast, vp8], { input: pictures });
  const paths = { mp4, webm, vp8, fmp4: path('fmp4'), flv: path('flv'), ts: path('ts') };
  const fragments = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
  execFileSync('ffmpeg', [...QUIET, '-i', mp4, '-c', 'copy', ...fragments, paths.fmp4]);
  for (const copy of [paths.flv, paths.ts]) execFileSync('ffmpeg', [...QUIET, '-i', mp4, '-c', 'copy', copy]);
  return paths;
}

/** Grey pictures one after another. */
function drawCounters(count: number): Uint8Array {
  const size = WIDTH * HEIGHT;
  const all = new Uint8Array(size * count).fill(96);
  const cell = { width: (BURNT_CLOCK.width * WIDTH) / 32, height: (BURNT_CLOCK.height * HEIGHT) / 2 };
  const left = BURNT_CLOCK.x * WIDTH;
  const top = BURNT_CLOCK.y * HEIGHT;
  for (let picture = 0; picture < count; picture++) {
    const base = picture * size;
    // Something that moves, so that pictures between keyframes have something to tell.
    const bar = (picture * 4) % WIDTH;
    for (let y = 20; y < 120; y++)
      all.fill(180, base + y * WIDTH + bar, base + y * WIDTH + Math.min(WIDTH, bar + 24));
    for (const [index, white] of burntClockCells(picture).entries()) {
      const x = left + (index % 32) * cell.width;
      const y = top + Math.floor(index / 32) * cell.height;
      for (let row = Math.round(y); row < Math.round(y + cell.height); row++) {
        const from = base + row * WIDTH + Math.round(x);
        all.fill(white === 1 ? 235 : 16, from, base + row * WIDTH + Math.round(x + cell.width));
      }
    }
  }
  return all;
}
