import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { Tally } from '../parts/tally.tsx';
import { PlayerBox } from '../player/player-box.tsx';
import { type PlayerView, playerView } from '../player/player-view.ts';
import { bitrate, delay } from '../words/format.ts';
import { t } from '../words/words.ts';

/** Quietest level that is shown, in decibels below the loudest. */
const FLOOR_DB = -60;
/** Milliseconds between two looks at the level. */
const LEVEL_INTERVAL = 80;

interface Capturing {
  captureStream?(): MediaStream;
  mozCaptureStream?(): MediaStream;
}

/** The sound of a video element, also while it is muted; undefined where the browser gives none. */
function soundOf(video: HTMLVideoElement): MediaStream | undefined {
  if (video.srcObject instanceof MediaStream) return video.srcObject;
  const { captureStream, mozCaptureStream } = video as Capturing;
  const stream = (captureStream ?? mozCaptureStream)?.call(video);
  return stream !== undefined && stream.getAudioTracks().length > 0 ? stream : undefined;
}

/** How loud a player's sound is. Browsers measure nothing before the page was touched. */
function SoundLevel({ view, name }: { readonly view: PlayerView; readonly name: string }): JSX.Element {
  const meter = useRef<HTMLMeterElement>(null);
  const playing = view.status.value?.kind === 'playing';
  useEffect(() => {
    const video = view.element.value?.video;
    const media = playing && video !== undefined ? soundOf(video) : undefined;
    if (media === undefined) return;
    const context = new AudioContext();
    const resume = (): void => void context.resume();
    addEventListener('pointerdown', resume);
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(media).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
      if (meter.current !== null) meter.current.value = Math.max(0, Math.min(1, 1 - decibels / FLOOR_DB));
    }, LEVEL_INTERVAL);
    return () => {
      clearInterval(timer);
      removeEventListener('pointerdown', resume);
      void context.close();
    };
  }, [view, playing]);
  return (
    <meter
      ref={meter}
      class="monitor-level"
      min={0}
      max={1}
      low={0.2}
      high={0.9}
      optimum={0.6}
      aria-label={t('operator.level', { name })}
    />
  );
}

/** What is wrong with an ingest, or that nothing is. */
function Health({ stream, view }: { readonly stream: StreamInfo; readonly view: PlayerView }): JSX.Element {
  const warning = stream.warnings?.[0];
  const silent = !stream.tracks.some(({ kind }) => kind === 'audio');
  const text =
    stream.state === 'waiting'
      ? t('state.waiting')
      : (warning?.text ?? (silent ? t('operator.noSound') : undefined));
  const latency = view.status.value?.kind === 'playing' ? view.figures.value?.latency : undefined;
  return (
    <p class={text === undefined ? 'monitor-health' : 'monitor-health monitor-amber'}>
      <Icon name={text === undefined ? 'check' : 'alert'} small />
      <span>{text ?? t('operator.healthy')}</span>
      <span class="num muted monitor-figures">
        {bitrate(stream.bitrateIn)}
        {latency !== undefined && ` · ${delay(latency * 1000)}`}
      </span>
    </p>
  );
}

/** One ingest: its picture, its sound as a bar, how it is; pressed, cues go to it. */
export function Monitor({
  stream,
  chosen,
  onChoose,
}: {
  readonly stream: StreamInfo;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}): JSX.Element {
  const view = useMemo(() => playerView('lowest', 'auto'), []);
  return (
    <li class={chosen ? 'panel monitor monitor-chosen' : 'panel monitor'}>
      <PlayerBox src={`/${stream.name}`} view={view} controls={false} muted />
      <SoundLevel view={view} name={stream.name} />
      <button type="button" class="monitor-name" aria-pressed={chosen} onClick={onChoose}>
        <span>{stream.name}</span>
        <Tally stream={stream} />
      </button>
      <Health stream={stream} view={view} />
    </li>
  );
}
