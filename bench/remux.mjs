// Remuxes a large MP4 file and compares with `ffmpeg -c copy` in the same run: time and largest memory.
//   node bench/remux.mjs              1 GB
//   node bench/remux.mjs --mb 200     smaller
// Needs a build and ffmpeg.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../packages/server/bin/onair.js', import.meta.url));
const at = process.argv.indexOf('--mb');
const megabytes = at < 0 ? 1000 : Number(process.argv[at + 1]);
const folder = mkdtempSync(join(tmpdir(), 'onair-remux-'));
const QUIET = ['-hide_banner', '-loglevel', 'error', '-y'];
const MB = 1e6;

/** Seconds and largest resident memory in MB of a program. */
function measure(command, args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    let memory = 0;
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      } catch {
        // it has ended
      }
    }, 20);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ seconds: (performance.now() - started) / 1000, memory });
      else reject(new Error(`${command} ended with ${code}: ${errors}`));
    });
  });
}

try {
  const seed = join(folder, 'seed.mp4');
  const input = join(folder, 'input.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25:duration=4'];
  const sound = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=4'];
  const rate = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '50',
    '-b:v',
    '8M',
    '-minrate',
    '8M',
    '-maxrate',
    '8M',
    '-bufsize',
    '8M',
  ];
  const made = spawnSync('ffmpeg', [
    ...QUIET,
    ...source,
    ...sound,
    ...rate,
    '-x264-params',
    'nal-hrd=cbr',
    '-c:a',
    'aac',
    seed,
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  const loops = Math.ceil((megabytes * MB) / statSync(seed).size) - 1;
  spawnSync('ffmpeg', [...QUIET, '-stream_loop', String(loops), '-i', seed, '-c', 'copy', input]);
  const { size } = statSync(input);
  console.log(`input: ${(size / MB).toFixed(0)} MB, ${loops + 1} times four seconds`);
  for (const [name, ending, flags] of [
    ['MP4 to MP4', 'mp4', []],
    ['MP4 to fragmented MP4', 'mp4', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof']],
    ['MP4 to MPEG-TS', 'ts', []],
    ['MP4 to FLV', 'flv', []],
  ]) {
    const out = join(folder, `out.${ending}`);
    const theirs = await measure('ffmpeg', [...QUIET, '-i', input, '-c', 'copy', ...flags, out]);
    rmSync(out);
    const to = flags.length > 0 ? 'fmp4' : ending;
    const ours = await measure(process.execPath, [CLI, 'remux', '--to', to, input, out]);
    rmSync(out);
    const ratio = theirs.seconds / ours.seconds;
    console.log(
      `${name}: onair ${ours.seconds.toFixed(2)} s, ${ours.memory.toFixed(0)} MB; ffmpeg ${theirs.seconds.toFixed(2)} s, ${theirs.memory.toFixed(0)} MB; ${ratio.toFixed(2)} x its speed`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
