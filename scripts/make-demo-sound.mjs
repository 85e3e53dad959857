// Makes packages/server/assets/demo-sound.bin, the sound of the built-in test picture. Needs ffmpeg; only
// for whoever changes the sound. The server reads the file and needs nothing else.
//
// The sound repeats every 8 s, which is 375 frames of 1024 samples at 48 kHz, with a beep at each full
// second. A second encoding with a higher beep gives the frames that stand in at each tenth second: AAC-LC
// frames depend on their neighbours only by overlap, and the two signals are equal outside of the beep.
//
// Layout, big-endian: "ONAIRSND"; u16 length and bytes of the AudioSpecificConfig; u16 count of frames,
// each u16 length and bytes; u16 count of stand-ins, each u16 index of the frame it replaces, u16 length
// and bytes.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const RATE = 48_000;
const FRAME = 1024;
const PERIOD_SECONDS = 8;
const FRAMES = (PERIOD_SECONDS * RATE) / FRAME;
const BEEP_SECONDS = 0.1;
const RAMP_SECONDS = 0.005;
const BEEP = { every: 1000, tenth: 1500, level: 0.25 };
const TONE = { left: 220, right: 330, level: 0.02 };
/** ffmpeg's encoder puts one frame of silence in front. */
const PRIMING_FRAMES = 1;
/** Stand-ins reach this many frames past those that the beep touches, for the encoder's look-ahead. */
const MARGIN_FRAMES = 2;
const REPEATS = 4;

const target = fileURLToPath(new URL('../packages/server/assets/demo-sound.bin', import.meta.url));

/** The signal at a sample of the period: [left, right]. */
function signal(at, beepHertz) {
  const time = at / RATE;
  const within = time % 1;
  let beep = 0;
  if (within < BEEP_SECONDS) {
    const edge = Math.min(within, BEEP_SECONDS - within) / RAMP_SECONDS;
    const envelope = edge < 1 ? 0.5 - 0.5 * Math.cos(Math.PI * edge) : 1;
    beep = BEEP.level * envelope * Math.sin(2 * Math.PI * beepHertz * within);
  }
  return [TONE.left, TONE.right].map((hertz) => beep + TONE.level * Math.sin(2 * Math.PI * hertz * time));
}

function encode(beepHertz) {
  const period = PERIOD_SECONDS * RATE;
  const one = Buffer.alloc(period * 4);
  for (let at = 0; at < period; at++) {
    signal(at, beepHertz).forEach((value, channel) => {
      one.writeInt16LE(Math.round(value * 32767), at * 4 + channel * 2);
    });
  }
  const result = spawnSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-f',
      's16le',
      '-ar',
      `${RATE}`,
      '-ac',
      '2',
      '-i',
      '-',
      '-c:a',
      'aac',
      '-b:a',
      '64k',
      '-aac_coder',
      'fast',
    ].concat([
      '-aac_pns',
      '0',
      '-aac_is',
      '0',
      '-fflags',
      '+bitexact',
      '-flags:a',
      '+bitexact',
      '-f',
      'adts',
      '-',
    ]),
    { input: Buffer.concat(Array.from({ length: REPEATS }, () => one)), maxBuffer: 1 << 28 },
  );
  if (result.status !== 0) throw new Error(`ffmpeg: ${result.stderr}`);
  const frames = splitAdts(result.stdout);
  // The middle of the run: the encoder has settled and has heard what comes after.
  const from = 2 * FRAMES + PRIMING_FRAMES;
  return frames.slice(from, from + FRAMES);
}

/** The raw frames of an ADTS stream (ISO/IEC 13818-7 clause 6.2). */
function splitAdts(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.readUInt16BE(at) >> 4 !== 0xfff) throw new Error(`no ADTS sync word at ${at}`);
    const header = bytes[at + 1] & 1 ? 7 : 9;
    const length = ((bytes[at + 3] & 3) << 11) | (bytes[at + 4] << 3) | (bytes[at + 5] >> 5);
    frames.push(bytes.subarray(at + header, at + length));
    at += length;
  }
  return frames;
}

/** Frames that differ where a beep is another one; a frame reaches over 2048 samples from its time on. */
function standIns() {
  const indices = new Set();
  // A tenth second falls on even seconds of the period.
  for (let second = 0; second < PERIOD_SECONDS; second += 2) {
    const first = Math.floor((second * RATE) / FRAME) - 2 - MARGIN_FRAMES;
    const last = Math.floor(((second + BEEP_SECONDS) * RATE) / FRAME) + MARGIN_FRAMES;
    for (let index = first; index <= last; index++) indices.add((index + FRAMES) % FRAMES);
  }
  return [...indices].sort((a, b) => a - b);
}

const u16 = (value) => Buffer.from([value >> 8, value & 255]);
const audioSpecificConfig = Buffer.from([0x11, 0x90]); // AAC-LC, 48 kHz, 2 channels
const plain = encode(BEEP.every);
const tenth = encode(BEEP.tenth);
const replaced = standIns();
const parts = [
  Buffer.from('ONAIRSND'),
  u16(audioSpecificConfig.length),
  audioSpecificConfig,
  u16(plain.length),
];
for (const frame of plain) parts.push(u16(frame.length), frame);
parts.push(u16(replaced.length));
for (const index of replaced) parts.push(u16(index), u16(tenth[index].length), tenth[index]);
const file = Buffer.concat(parts);
writeFileSync(target, file);
console.log(`${target}: ${file.length} bytes, ${plain.length} frames, ${replaced.length} stand-ins`);
