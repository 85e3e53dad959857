import { useSignal } from '@preact/signals';
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { Roles } from '../studio/roles.tsx';
import { t } from '../words/words.ts';
import './viewer.css';

/** Plays any HLS playlist, above all those of recordings. */
export function Viewer({
  address,
}: {
  /** Stands in the field at first, and is played at once. */
  readonly address: string;
}): JSX.Element {
  const typed = useSignal(address);
  const failure = useSignal<string | undefined>(undefined);
  const video = useRef<HTMLVideoElement>(null);
  const stop = useRef<() => void>(() => undefined);

  const play = async (): Promise<void> => {
    const url = typed.peek().trim();
    const media = video.current;
    if (url === '' || media === null) return;
    failure.value = undefined;
    stop.current();
    const { playRecording } = await import('@onair/client/recording');
    stop.current = playRecording(media, new URL(url, location.href).href, (why) => {
      failure.value = why;
    });
    await media.play().catch(() => undefined); // the browser wants a click first: the controls are there
  };
  useEffect(() => {
    if (address !== '') void play();
    return () => stop.current();
  }, []);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void play();
  };
  return (
    <Frame place="elsewhere" title={t('viewer.title')}>
      <div class="viewer">
        <Roles here="viewer" />
        <h1>{t('viewer.title')}</h1>
        <form class="viewer-form" onSubmit={submit}>
          <label class="viewer-field">
            {t('viewer.address')}
            <input
              type="text"
              inputMode="url"
              placeholder="/live/test/playlist.m3u8"
              value={typed.value}
              onInput={(event) => {
                typed.value = event.currentTarget.value;
              }}
            />
          </label>
          <button type="submit" class="button button-main">
            <Icon name="play" />
            {t('viewer.play')}
          </button>
        </form>
        {failure.value !== undefined && (
          <p class="notice" role="alert">
            <Icon name="alert" />
            {t('viewer.failed', { why: failure.value })}
          </p>
        )}
        {/* biome-ignore lint/a11y/useMediaCaption: what is played is not known */}
        <video ref={video} class="viewer-video" controls playsInline />
      </div>
    </Frame>
  );
}
