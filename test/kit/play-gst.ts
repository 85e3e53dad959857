import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport, runPlayer } from './report.ts';

/** Which branches a GStreamer pipeline has. */
export interface GstPlayOptions {
  /** Default true. */
  readonly video?: boolean;
  /** Default true. */
  readonly audio?: boolean;
  /** `url` is that of a DASH manifest instead of a live RTMP stream. */
  readonly dash?: boolean;
  /** The element that reads RTMP and its arguments but the location; default `rtmp2src`. */
  readonly source?: readonly string[];
  /** Milliseconds until it is stopped; default: `seconds` and 20 s. */
  readonly timeoutMs?: number;
}

/** Frames at the end between which others were to be shown. */
const REORDERED = 8;

/** Milliseconds of `H:MM:SS.NNNNNNNNN`. */
function clockMs(text: string): number {
  const [hours, minutes, seconds] = text.split(':').map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

/** Decode `seconds` of a live RTMP stream or a DASH presentation with GStreamer's demuxers and libav decoders. */
export async function playWithGst(
  url: string,
  seconds: number,
  options: GstPlayOptions = {},
): Promise<PlayReport> {
  const branch = (pad: string, ...chain: string[]): string[] => [
    ...(options.dash === true
      ? [`d.${pad}_00`, '!', 'queue', '!', 'qtdemux', '!']
      : [`d.${pad}`, '!', 'queue', '!']),
    ...chain.flatMap((element) => [element, '!']),
  ];
  const child = new Child('gst-launch', 'gst-launch-1.0', [
    // The end would be passed to the source of the manifest, which has ended long ago.
    ...(options.dash === true ? ['--verbose'] : ['--eos-on-shutdown', '--verbose']),
    ...(options.dash === true ? ['souphttpsrc'] : (options.source ?? ['rtmp2src'])),
    ...[`location=${url}`, '!', options.dash === true ? 'dashdemux' : 'flvdemux', 'name=d'],
    // Each buffer is a line. One branch only may tell by a property: of two, changes get lost.
    ...(options.video === false
      ? []
      : [...branch('video', 'h264parse', 'avdec_h264'), 'checksumsink', 'sync=false']),
    ...(options.audio === false
      ? []
      : [...branch('audio', 'aacparse', 'avdec_aac'), 'fakesink', 'silent=false', 'sync=false']),
  ]);
  const arrivals = new Arrivals();
  const videoMs: number[] = [];
  const errors: string[] = [];
  let audioMs = 0;
  let timer: NodeJS.Timeout | undefined;
  /** Lines of errors when it was told to stop. */
  let linesAtStop: number | undefined;
  const stop = (): void => {
    linesAtStop = child.errorLines.length;
    child.signal('SIGINT');
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const picture = /^(\d+:\d\d:\d\d\.\d+) [0-9a-f]{40}$/.exec(line);
    const sound = /GstFakeSink:.*last-message = chain .*?duration: ([\d:.]+|none)/.exec(line);
    if (picture !== null || sound !== null) {
      if (picture !== null) {
        arrivals.add();
        videoMs.push(clockMs(picture[1]!));
      } else if (sound![1] !== 'none') audioMs += clockMs(sound![1]!);
      timer ??= setTimeout(stop, seconds * 1000);
    } else if (/^(ERROR|WARNING)/.test(line)) errors.push(line);
  });
  const { late } = await runPlayer(child, options.timeoutMs ?? seconds * 1000 + 20_000);
  clearTimeout(timer);
  // Told to stop, rtmpsrc closes its connection and now and then opens it once more before it sees the end.
  const judged = options.source?.[0] === 'rtmpsrc' ? linesAtStop : undefined;
  const lines = child.errorLines.slice(0, judged);
  errors.push(...lines.filter((line) => /\b(ERROR|WARN(ING)?|CRITICAL)\b/.test(line)));
  if (late) errors.push('gst-launch did not end in time');
  else if (judged === undefined && child.exit?.code !== 0)
    errors.push(`gst-launch ended with ${child.exit?.code}`);
  return {
    player: 'gst',
    frames: videoMs.length,
    audioMs,
    firstMs: arrivals.firstMs,
    maxGapMs: arrivals.maxGapMs,
    // It ends in the middle of a group: what its last frames were to be shown before never came.
    maxStepMs: maxStep(videoMs.slice(0, -REORDERED)),
    stalls: 0,
    errors,
  };
}
