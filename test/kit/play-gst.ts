import { createInterface } from 'node:readline';
import { Child } from './child.ts';
import { Arrivals, maxStep, type PlayReport, runPlayer } from './report.ts';

/** Which branches a GStreamer pipeline has. */
export interface GstPlayOptions {
  /** Default true. */
  readonly video?: boolean;
  /** Default true. */
  readonly audio?: boolean;
  /** Milliseconds until it is stopped; default: `seconds` and 20 s. */
  readonly timeoutMs?: number;
}

/** Milliseconds of `H:MM:SS.NNNNNNNNN`. */
function clockMs(text: string): number {
  const [hours, minutes, seconds] = text.split(':').map(Number);
  return ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

/** Decode `seconds` of a live RTMP stream with GStreamer's `rtmp2src` and libav decoders. */
export async function playWithGst(
  url: string,
  seconds: number,
  options: GstPlayOptions = {},
): Promise<PlayReport> {
  const branch = (pad: string, ...chain: string[]): string[] => [
    ...[`d.${pad}`, '!', 'queue', '!'],
    ...chain.flatMap((element) => [element, '!']),
    ...['fakesink', `name=${pad}`, 'silent=false', 'sync=false'],
  ];
  const child = new Child('gst-launch', 'gst-launch-1.0', [
    ...['--eos-on-shutdown', '--verbose', 'rtmp2src', `location=${url}`, '!', 'flvdemux', 'name=d'],
    ...(options.video === false ? [] : branch('video', 'h264parse', 'avdec_h264')),
    ...(options.audio === false ? [] : branch('audio', 'aacparse', 'avdec_aac')),
  ]);
  const arrivals = new Arrivals();
  const videoMs: number[] = [];
  const errors: string[] = [];
  let audioMs = 0;
  let timer: NodeJS.Timeout | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const sink =
      /GstFakeSink:(video|audio): last-message = chain .*?pts: ([\d:.]+), duration: ([\d:.]+|none)/.exec(
        line,
      );
    if (sink !== null) {
      if (sink[1] === 'audio') audioMs += sink[3] === 'none' ? 0 : clockMs(sink[3]!);
      else {
        arrivals.add();
        videoMs.push(clockMs(sink[2]!));
      }
      timer ??= setTimeout(() => child.signal('SIGINT'), seconds * 1000);
    } else if (/^(ERROR|WARNING)/.test(line)) errors.push(line);
  });
  const { late } = await runPlayer(child, options.timeoutMs ?? seconds * 1000 + 20_000);
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
    maxStepMs: maxStep(videoMs),
    stalls: 0,
    errors,
  };
}
