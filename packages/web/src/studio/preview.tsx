import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../words/words.ts';
import { LevelMeter } from './level-meter.tsx';

/** The picture that is recorded, and how loud its sound is. */
export function Preview({
  media,
  mirrored,
  live,
  hint,
}: {
  readonly media: MediaStream | undefined;
  readonly mirrored: boolean;
  readonly live: boolean;
  /** What is said where there is no picture. */
  readonly hint: string;
}): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = media ?? null;
  }, [media]);
  return (
    <div class={live ? 'studio-stage studio-live' : 'studio-stage'}>
      <video
        ref={video}
        class={mirrored ? 'studio-video' : 'studio-video studio-plain'}
        autoPlay
        muted
        playsInline
        aria-label={t('studio.preview')}
      />
      {media === undefined ? <p class="studio-hint">{hint}</p> : <LevelMeter media={media} />}
    </div>
  );
}
