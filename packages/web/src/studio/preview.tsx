import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../words/words.ts';
import { LevelMeter } from './level-meter.tsx';

/** The picture that is recorded, and how loud its sound is. */
export function Preview({
  media,
  mirrored,
  live,
}: {
  readonly media: MediaStream | undefined;
  readonly mirrored: boolean;
  readonly live: boolean;
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
      {media !== undefined && <LevelMeter media={media} />}
    </div>
  );
}
