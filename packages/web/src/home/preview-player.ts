import type { Player } from '@onair/client';

/** How long a first picture is awaited, milliseconds. */
const PATIENCE = 8000;
/** Most streams that are asked for a picture at one time. */
const MAX_AT_ONCE = 2;

const nobody = {
  status() {},
  transport() {},
  failed() {},
  soundRefused() {},
  event() {},
};

/** Plays `/APP/NAME` without sound and controls on a video element until closed. */
export async function playSilently(video: HTMLVideoElement, src: string): Promise<Player | undefined> {
  const { Player: Plain, streamAddresses } = await import('@onair/client');
  const addresses = streamAddresses(src, document.baseURI);
  if (addresses === undefined) return undefined;
  video.muted = true;
  video.playsInline = true;
  const player = new Plain(video, { transport: 'auto', latency: 'lowest' }, nobody);
  player.load(addresses);
  player.play();
  return player;
}

/** The first picture that a video element shows, or none within the patience. */
function firstPicture(video: HTMLVideoElement): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), PATIENCE);
    video.requestVideoFrameCallback(() => {
      clearTimeout(late);
      resolve(true);
    });
  });
}

let busy = 0;
const queue: (() => void)[] = [];

async function turn(): Promise<void> {
  if (busy >= MAX_AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
  busy++;
}

function done(): void {
  busy--;
  queue.shift()?.();
}

/** Draw the stream's newest keyframe onto a canvas and let go of the stream again. Tells whether there was one. */
export async function drawStill(canvas: HTMLCanvasElement, src: string): Promise<boolean> {
  await turn();
  let player: Player | undefined;
  try {
    const video = document.createElement('video');
    player = await playSilently(video, src);
    if (player === undefined || !(await firstPicture(video))) return false;
    canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
    return true;
  } finally {
    player?.close();
    done();
  }
}
