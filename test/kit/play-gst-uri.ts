import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport, runPlayer } from './report.ts';

/** Frames at the end between which others were to be shown. */
const REORDERED = 8;

/** Milliseconds of `H:MM:SS.NNNNNNNNN`. */
function clockMs(text: string): number {
  const [hours, minutes, seconds] = text.split(':').map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

/**
 * Play `seconds` of a URL with GStreamer's `playbin3`, which finds demuxers and decoders by itself. Pictures and sound
 * go to sinks that keep time with the clock, as a screen does.
 */
export async function playUriWithGst(
  url: string,
  seconds: number,
  timeoutMs = seconds * 1000 + 40_000,
): Promise<PlayReport> {
  const child = new Child('gst-launch', 'gst-launch-1.0', [
    ...['--verbose', 'playbin3', `uri=${url}`],
    ...['video-sink=checksumsink sync=true', 'audio-sink=fakesink silent=false sync=true'],
  ]);
  const arrivals = new Arrivals();
  const videoMs: number[] = [];
  const errors: string[] = [];
  let audioMs = 0;
  let timer: NodeJS.Timeout | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const picture = /^(\d+:\d\d:\d\d\.\d+) [0-9a-f]{40}$/.exec(line);
    const sound = /GstFakeSink:.*last-message = chain .*?duration: ([\d:.]+|none)/.exec(line);
    if (picture !== null) {
      arrivals.add();
      videoMs.push(clockMs(picture[1]!));
      timer ??= setTimeout(() => child.signal('SIGINT'), seconds * 1000);
    } else if (sound !== null && sound[1] !== 'none') audioMs += clockMs(sound[1]!);
    else if (/^(ERROR|WARNING)/.test(line)) errors.push(line);
  });
  const { late } = await runPlayer(child, timeoutMs);
  clearTimeout(timer);
  errors.push(...child.errorLines.filter((line) => /\b(ERROR|WARN(ING)?|CRITICAL)\b/.test(line)));
  if (late) errors.push('gst-launch did not end in time');
  else if (child.exit?.code !== 0) errors.push(`gst-launch ended with ${child.exit?.code}`);
  return {
    player: 'gst',
    frames: videoMs.length,
    audioMs,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    maxStepMs: maxStep(videoMs.slice(0, -REORDERED)),
    stalls: 0,
    errors,
  };
}
