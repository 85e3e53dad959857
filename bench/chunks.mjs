// What a long session of stored chunks costs: complete files of four seconds, as the original recorder makes them, sent
// faster than real time in two sessions at once.
//
//   npm run bench:chunks -- [--chunks 1000] [--mb 24]
//
// Exit code 1 when memory or open files grow from the second quarter to the last, when a session has another length
// than its chunks, or when pictures of one are found in the other.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './prepare.mjs';
import { freePort, listening, rss, start } from './processes.mjs';

const { values: flags } = parseArgs({
  options: { chunks: { type: 'string', default: '1000' }, mb: { type: 'string', default: '24' } },
});
const CHUNKS = Number(flags.chunks);
/** Most megabytes that the middle of the last quarter may be above that of the second. */
const MAX_GROWTH_KB = Number(flags.mb) * 1024;
/** Most files that may be open more. */
const MAX_MORE_FILES = 4;
/** Sizes of the two sessions' pictures: by them they are told apart. */
const SESSIONS = [
  { id: 'soak-a', size: '160x90', width: 160 },
  { id: 'soak-b', size: '192x108', width: 192 },
];

const folder = mkdtempSync(join(tmpdir(), 'onair-chunks-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function chunkOf({ size }) {
  const path = join(folder, `${size}.webm`);
  const input = [
    '-f',
    'lavfi',
    '-i',
    `testsrc2=size=${size}:rate=25`,
    '-f',
    'lavfi',
    '-i',
    'sine=sample_rate=48000',
  ];
  const codecs = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '150k', '-g', '50'];
  execFileSync('ffmpeg', ['-v', 'error', ...input, '-t', '4', ...codecs, '-c:a', 'libopus', '-y', path]);
  return readFileSync(path);
}

/** Seconds, width and number of pictures of a file. */
function probe(path) {
  const entries = 'format=duration:stream=codec_type,width,nb_read_packets';
  const args = ['-v', 'error', '-count_packets', '-show_entries', entries, '-of', 'json', path];
  const { format, streams } = JSON.parse(execFileSync('ffprobe', args, { maxBuffer: 1 << 26 }).toString());
  const video = streams.find((one) => one.codec_type === 'video');
  return { seconds: Number(format.duration), width: video.width, pictures: Number(video.nb_read_packets) };
}

const port = await freePort();
const env = {
  ...process.env,
  ONAIR_DATA: join(folder, 'data'),
  ONAIR_HOST: '127.0.0.1',
  ONAIR_HTTP_PORT: String(port),
  ONAIR_RTMP_PORT: '0',
  ONAIR_TLS_PORT: '0',
};
mkdirSync(env.ONAIR_DATA);
const server = start(process.execPath, [join(root, 'packages/server/bin/onair.js'), 'serve'], { env });
await listening(port, server, 60_000);
const http = `http://127.0.0.1:${port}`;
const openFiles = () => readdirSync(`/proc/${server.pid}/fd`).length;

async function answered(path, init) {
  const response = await fetch(`${http}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

const samples = [];
async function session(one) {
  const bytes = chunkOf(one);
  await answered(`/api/initialize/${one.id}`);
  for (let number = 1; number <= CHUNKS; number++) {
    const form = new FormData();
    form.append('webm', new Blob([bytes]), `${number}.webm`);
    await answered(`/api/chunks/${one.id}`, { method: 'POST', body: form });
    if (one === SESSIONS[0]) samples.push({ kb: rss(server.pid), files: openFiles() });
  }
  return answered(`/api/finalize/${one.id}`);
}

const began = performance.now();
const results = await Promise.all(SESSIONS.map(session));
const took = (performance.now() - began) / 1000;
const middle = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const quarter = (n, key) =>
  middle(samples.slice((n * samples.length) / 4, ((n + 1) * samples.length) / 4).map((one) => one[key]));
const grownKb = quarter(3, 'kb') - quarter(1, 'kb');
const moreFiles = quarter(3, 'files') - quarter(1, 'files');
const faults = [];
if (grownKb > MAX_GROWTH_KB) faults.push(`memory grows by ${grownKb} kB`);
if (moreFiles > MAX_MORE_FILES) faults.push(`${moreFiles} more files are open`);

for (const [i, one] of SESSIONS.entries()) {
  const { file } = results[i];
  const path = join(folder, one.id);
  writeFileSync(path, Buffer.from(await (await fetch(`${http}${file}`)).arrayBuffer()));
  const found = probe(path);
  const playlist = await (await fetch(`${http}/live/${one.id}/playlist.m3u8`)).text();
  const listed = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].reduce(
    (sum, [, seconds]) => sum + Number(seconds),
    0,
  );
  const breaks = playlist.split('#EXT-X-DISCONTINUITY\n').length - 1;
  console.log(
    `${one.id}: ${CHUNKS} chunks, ${found.pictures} pictures ${found.width} wide, ` +
      `file ${found.seconds.toFixed(2)} s, playlist ${listed.toFixed(2)} s, ${breaks} breaks`,
  );
  if (found.width !== one.width) faults.push(`${one.id} has pictures of the other`);
  if (found.pictures !== CHUNKS * 100) faults.push(`${one.id} has ${found.pictures} pictures`);
  if (Math.abs(found.seconds - listed) > 0.1) faults.push(`${one.id}: file and playlist differ`);
}
console.log(
  `${((CHUNKS * 4 * SESSIONS.length) / took).toFixed(0)} times real time; RSS by quarters ` +
    `${[0, 1, 2, 3].map((n) => Math.round(quarter(n, 'kb') / 1024)).join(' ')} MB, ` +
    `open files ${[0, 1, 2, 3].map((n) => quarter(n, 'files')).join(' ')}`,
);
await server.stop();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
