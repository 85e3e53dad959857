import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport, runPlayer } from './report.ts';

/** Pauses longer than this count as stalls, ms. */
const STALL_MS = 1000;
/** Frames at the end between which others were to be shown. */
const REORDERED = 8;

/**
 * Play `seconds` of a URL with GStreamer's playbin3: it finds out by itself what the URL is, and its sinks take each picture
 * and sound when it is due. `stalls` counts pauses of its pictures for longer than a second.
 */
export async function playWithPlaybin(
  url: string,
  seconds: number,
  timeoutMs = seconds * 1000 + 30_000,
): Promise<PlayReport> {
  const child = new Child('playbin3', 'gst-launch-1.0', [
    ...['--verbose', 'playbin3', `uri=${url}`],
    // Each picture and each buffer of sound is a line. One sink only may tell by a property: of two, changes get lost.
    ...['video-sink=checksumsink sync=true', 'audio-sink=fakesink sync=true silent=false'],
  ]);
  const arrivals = new Arrivals();
  const videoMs: number[] = [];
  const errors: string[] = [];
  let audioMs = 0;
  let stalls = 0;
  let last = Number.NaN;
  let timer: NodeJS.Timeout | undefined;
  let enough = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (enough) return;
    const picture = /^(\d+):(\d\d):(\d\d\.\d+) [0-9a-f]{40}$/.exec(line);
    const sound = /last-message = chain .*?duration: (\d+):(\d\d):(\d\d\.\d+)/.exec(line);
    const [, hours, minutes, secs] = picture ?? sound ?? [];
    const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(secs)) * 1000;
    if (picture !== null) {
      arrivals.add();
      if (performance.now() - last > STALL_MS) stalls++;
      last = performance.now();
      videoMs.push(ms);
    } else if (sound !== null) audioMs += ms;
    else if (/^(ERROR|WARNING)/.test(line)) errors.push(line);
    if (picture !== null || sound !== null) {
      timer ??= setTimeout(() => {
        enough = true;
        child.signal('SIGKILL');
      }, seconds * 1000);
    }
  });
  const { late } = await runPlayer(child, timeoutMs);
  clearTimeout(timer);
  errors.push(...child.errorLines.filter((line) => /\b(ERROR|CRITICAL)\b/.test(line)));
  if (late) errors.push('playbin3 did not end in time');
  else if (!enough) errors.push(`playbin3 ended with ${child.exit?.code}`);
  return {
    player: 'playbin3',
    frames: videoMs.length,
    audioMs,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    maxStepMs: maxStep(videoMs.slice(0, -REORDERED)),
    stalls,
    errors,
  };
}
