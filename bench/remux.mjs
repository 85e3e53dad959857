// Remuxes a large MP4 file and compares with `ffmpeg -c copy` in the same run: time, processor time and largest memory.
//   node bench/remux.mjs              1 GB
//   node bench/remux.mjs --mb 200     smaller
//   node bench/remux.mjs --rounds 3   in turns, the quickest of each counts
//   node bench/remux.mjs --only ts    one container: mp4, fmp4, ts or flv
// Needs a build and ffmpeg.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../packages/server/bin/onair.js', import.meta.url));
const option = (name, value) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? value : process.argv[at + 1];
};
const megabytes = Number(option('--mb', 1000));
const rounds = Number(option('--rounds', 1));
const only = option('--only', undefined);
const folder = mkdtempSync(join(tmpdir(), 'onair-remux-'));
const QUIET = ['-hide_banner', '-loglevel', 'error', '-y'];
const MB = 1e6;

/** Ticks of the processor time in /proc per second. */
const TICKS = 100;

/** Seconds, seconds of processor time (to 20 ms) and largest resident memory in MB of a program. */
function measure(command, args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    let memory = 0;
    let cpu = 0;
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
        const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
        // User and system time, counted from behind the name, which may hold blanks.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        cpu = (Number(fields[11]) + Number(fields[12])) / TICKS;
      } catch {
        // it has ended
      }
    }, 20);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ seconds: (performance.now() - started) / 1000, cpu, memory });
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
    const to = flags.length > 0 ? 'fmp4' : ending;
    if (only !== undefined && only !== to) continue;
    const out = join(folder, `out.${ending}`);
    const best = {};
    for (let round = 0; round < rounds; round++) {
      for (const [who, command, args] of [
        ['ffmpeg', 'ffmpeg', [...QUIET, '-i', input, '-c', 'copy', ...flags, out]],
        ['onair', process.execPath, [CLI, 'remux', '--to', to, input, out]],
      ]) {
        const run = await measure(command, args);
        rmSync(out);
        const before = best[who] ?? { seconds: Infinity, cpu: Infinity, memory: 0 };
        best[who] = {
          seconds: Math.min(before.seconds, run.seconds),
          cpu: Math.min(before.cpu, run.cpu),
          memory: Math.max(before.memory, run.memory),
        };
      }
    }
    const { onair: ours, ffmpeg: theirs } = best;
    const tell = ({ seconds, cpu, memory }) =>
      `${seconds.toFixed(2)} s (${cpu.toFixed(2)} s of processor), ${memory.toFixed(0)} MB`;
    const ratio = `${(theirs.seconds / ours.seconds).toFixed(2)} x its speed`;
    console.log(`${name}: onair ${tell(ours)}; ffmpeg ${tell(theirs)}; ${ratio}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
