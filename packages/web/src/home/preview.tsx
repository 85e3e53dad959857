import type { StreamInfo } from '@onair/contracts/api';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { sparklinePoints } from '../parts/sparkline.tsx';
import { shortName } from '../parts/stream-facts.ts';
import { drawStill, playSilently } from './preview-player.ts';

/** Milliseconds between two pictures of a stream that is in view. */
const STILL_INTERVAL = 60_000;
/** Milliseconds of pointing or focus after which the preview moves. */
const MOVE_AFTER = 250;

/** Whether the visitor asked for less: fewer bytes or less motion. */
function sparing(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return connection?.saveData === true || matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Keeps a still picture of the stream on the canvas while it is in view. Tells `shown` of the first one. */
function keepStill(canvas: HTMLCanvasElement, src: string, shown: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let inView = false;
  const draw = async (): Promise<void> => {
    timer = undefined;
    if (!inView || document.hidden) return;
    if (await drawStill(canvas, src).catch(() => false)) shown();
    timer ??= setTimeout(draw, STILL_INTERVAL);
  };
  const observer = new IntersectionObserver(([entry]) => {
    inView = entry?.isIntersecting === true;
    if (inView && timer === undefined) void draw();
  });
  observer.observe(canvas);
  const back = (): void => {
    if (!document.hidden && timer === undefined) void draw();
  };
  document.addEventListener('visibilitychange', back);
  return () => {
    inView = false;
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener('visibilitychange', back);
  };
}

/** Plays the stream silently while the card is pointed at or focused. */
function moveOnInterest(
  card: Element,
  video: HTMLVideoElement,
  src: string,
  moving: (on: boolean) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  const begin = (): void => {
    if (timer !== undefined || sparing()) return;
    timer = setTimeout(async () => {
      let over = false;
      stop = () => {
        over = true;
      };
      const player = await playSilently(video, src);
      if (over) player?.close();
      else stop = () => player?.close();
      video.requestVideoFrameCallback(() => moving(stop !== undefined));
    }, MOVE_AFTER);
  };
  const end = (): void => {
    clearTimeout(timer);
    timer = undefined;
    stop?.();
    stop = undefined;
    moving(false);
  };
  const beginners = ['pointerenter', 'focusin'];
  const enders = ['pointerleave', 'focusout'];
  for (const name of beginners) card.addEventListener(name, begin);
  for (const name of enders) card.addEventListener(name, end);
  return () => {
    end();
    for (const name of beginners) card.removeEventListener(name, begin);
    for (const name of enders) card.removeEventListener(name, end);
  };
}

/** The stream in small: a still picture that moves while pointed at; without one its initials over its bitrate. */
export function Preview({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const still = useSignal(false);
  const moving = useSignal(false);
  const src = `/${stream.name}`;
  const live = stream.state === 'live' && stream.tracks.some((track) => track.kind === 'video');
  useEffect(() => {
    const card = canvas.current?.closest('li');
    if (!live || canvas.current === null || video.current === null || card === null || card === undefined)
      return;
    const ends = [
      keepStill(canvas.current, src, () => {
        still.value = true;
      }),
      moveOnInterest(card, video.current, src, (on) => {
        moving.value = on;
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [live, src, still, moving]);
  const points = sparklinePoints(stream.bitrateHistory, 320, 56);
  return (
    <div class={live ? 'preview' : 'preview preview-off'} aria-hidden="true">
      <span class="preview-initial">{shortName(stream.name).slice(0, 2)}</span>
      {stream.bitrateHistory.length > 1 && (
        <svg class="preview-course" viewBox="0 0 320 60" preserveAspectRatio="none" aria-hidden="true">
          <polygon points={`0,60 ${points} 320,60`} />
          <polyline points={points} />
        </svg>
      )}
      <canvas
        ref={canvas}
        class={still.value ? 'preview-picture preview-shown' : 'preview-picture'}
        width="640"
        height="360"
      />
      {/* biome-ignore lint/a11y/useMediaCaption: a silent preview */}
      <video ref={video} class={moving.value ? 'preview-picture preview-shown' : 'preview-picture'} />
    </div>
  );
}
