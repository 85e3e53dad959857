import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, lastLines, maxStep, type PlayReport, runPlayer } from './report.ts';

/** How {@link playWithFfmpeg} reads. */
export interface FfmpegPlayOptions {
  /** Milliseconds until the player is stopped and the report says so; default: `seconds` and 20 s. */
  readonly timeoutMs?: number;
  /** Arguments in front of the input, e.g. `-rw_timeout`. */
  readonly input?: readonly string[];
}

/**
 * Decode `seconds` of a live URL with ffmpeg. Each decoded frame is reported by its hash line at once, so arrival
 * and timestamps are those of the decoder's output.
 */
export async function playWithFfmpeg(
  url: string,
  seconds: number,
  options: FfmpegPlayOptions = {},
): Promise<PlayReport> {
  const child = new Child('ffmpeg', 'ffmpeg', [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', ...(options.input ?? []), '-i', url],
    ...['-t', String(seconds), '-map', '0:v?', '-map', '0:a?', '-fps_mode', 'passthrough'],
    ...['-flush_packets', '1', '-f', 'framecrc', 'pipe:1'],
  ]);
  const arrivals = new Arrivals();
  const timebases = new Map<number, number>();
  const kinds = new Map<number, string>();
  const videoMs: number[] = [];
  let audioMs = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const header = /^#(tb|media_type) (\d+): (.+)$/.exec(line);
    if (header !== null) {
      const [, what, index, value] = header;
      const [numerator, denominator] = value!.split('/').map(Number);
      if (what === 'tb') timebases.set(Number(index), (numerator! / denominator!) * 1000);
      else kinds.set(Number(index), value!);
      return;
    }
    if (line.startsWith('#')) return;
    const [index, , pts, duration] = line.split(',').map(Number);
    const tick = timebases.get(index!) ?? Number.NaN;
    if (kinds.get(index!) === 'audio') audioMs += duration! * tick;
    else {
      arrivals.add();
      videoMs.push(pts! * tick);
    }
  });
  const { late } = await runPlayer(child, options.timeoutMs ?? seconds * 1000 + 20_000);
  const errors = [...child.errorLines];
  if (late) errors.push('ffmpeg did not end in time');
  else if (child.exit?.code !== 0) errors.push(`ffmpeg ended with ${child.exit?.code}`);
  return {
    player: 'ffmpeg',
    frames: videoMs.length,
    audioMs,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    maxStepMs: maxStep(videoMs),
    stalls: 0,
    errors,
  };
}

/** One stream as ffprobe tells it; the fields tests look at. */
export interface ProbedStream {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly profile?: string;
  readonly width?: number;
  readonly height?: number;
  /** Decimal number of Hz. */
  readonly sample_rate?: string;
  readonly channels?: number;
  readonly has_b_frames?: number;
  readonly r_frame_rate?: string;
}

/** What ffprobe says of a URL or file. */
export interface Probe {
  readonly streams: readonly ProbedStream[];
  readonly format: { readonly format_name: string; readonly duration?: string };
  /** ffprobe's own complaints. */
  readonly errors: readonly string[];
}

/** Probe a URL or file with ffprobe; throws when ffprobe refuses it or takes longer than `timeoutMs`. */
export async function ffprobeUrl(
  url: string,
  timeoutMs = 20_000,
  input: readonly string[] = [],
): Promise<Probe> {
  const args = ['-v', 'error', ...input, '-show_streams', '-show_format', '-of', 'json', url];
  const child = new Child('ffprobe', 'ffprobe', args);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const { late } = await runPlayer(child, timeoutMs);
  if (late || child.exit?.code !== 0) throw new Error(`ffprobe ${url}: ${lastLines(child)}`);
  return { ...(JSON.parse(text) as Omit<Probe, 'errors'>), errors: [...child.errorLines] };
}
