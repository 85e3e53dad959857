import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport } from './report.ts';
import { until } from './until.ts';

let sequence = 0;

interface Change {
  readonly event?: string;
  readonly name?: string;
  readonly data?: unknown;
}

/**
 * Play `seconds` of a URL with mpv, decoded and timed as for a screen and loudspeaker but shown nowhere. `frames` counts the
 * steps of its play position, one per frame shown, `stalls` how often it paused to fill its cache.
 */
export async function playWithMpv(
  url: string,
  seconds: number,
  timeoutMs = seconds * 1000 + 20_000,
): Promise<PlayReport> {
  const path = join(tmpdir(), `onair-mpv-${process.pid}-${sequence++}.sock`);
  const child = new Child('mpv', 'mpv', [
    ...['--no-config', '--vo=null', '--ao=null', '--no-input-terminal', '--load-scripts=no', '--ytdl=no'],
    ...['--msg-level=all=warn', '--idle=no', '--keep-open=no', `--input-ipc-server=${path}`, url],
  ]);
  child.stdout.setEncoding('utf8');
  const arrivals = new Arrivals();
  const positions: number[] = [];
  const errors: string[] = [];
  let stalls = 0;
  let audioFrom = Number.NaN;
  let audioMs = 0;
  child.stdout.on('data', (text: string) => {
    errors.push(...text.split('\n').filter((line) => /\b(error|warn|fail|invalid|corrupt)/i.test(line)));
  });
  const ended = child.exited.then(() => 'ended' as const);
  let socket: Socket | undefined;
  try {
    socket = await until(() => open(path), { message: 'mpv opens its socket' });
    for (const [id, name] of [
      'time-pos',
      'paused-for-cache',
      'estimated-frame-number',
      'audio-pts',
    ].entries()) {
      socket.write(`${JSON.stringify({ command: ['observe_property', id + 1, name] })}\n`);
    }
    createInterface({ input: socket }).on('line', (line) => {
      const { event, name, data } = JSON.parse(line) as Change;
      if (event !== 'property-change') return;
      if (name === 'time-pos' && typeof data === 'number') {
        arrivals.add();
        positions.push(data * 1000);
      } else if (name === 'paused-for-cache' && data === true && arrivals.any) stalls++;
      else if (name === 'audio-pts' && typeof data === 'number') {
        if (Number.isNaN(audioFrom)) audioFrom = data;
        audioMs = Math.max(audioMs, (data - audioFrom) * 1000);
      }
    });
    const end = performance.now() + timeoutMs;
    const played = (): number => (positions.length === 0 ? 0 : positions.at(-1)! - positions[0]!);
    await Promise.race([
      ended,
      until(() => played() >= seconds * 1000, { timeoutMs: end - performance.now(), message: 'mpv plays' }),
    ]);
    if (child.exit !== undefined) errors.push(`mpv ended with ${child.exit.code} after ${played()} ms`);
  } catch (error) {
    errors.push(String(error));
  }
  socket?.destroy();
  await child.stop('SIGTERM');
  await rm(path, { force: true });
  errors.push(...child.errorLines);
  return {
    player: 'mpv',
    frames: positions.length,
    audioMs,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    maxStepMs: maxStep(positions),
    stalls,
    errors,
  };
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}
