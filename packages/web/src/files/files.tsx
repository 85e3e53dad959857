import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { bytes, clock, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import './files.css';
import { addressOf, type FilesView } from './files-view.ts';
import { Wire } from './wire.tsx';

/** Where files are chosen or dropped, and how far the one under way has come. */
function Door({ view, secret }: { readonly view: FilesView; readonly secret: string }): JSX.Element {
  const over = useSignal(false);
  const take = (files: FileList | null | undefined): void => {
    if (files !== null && files !== undefined && files.length > 0) void view.add([...files], secret);
  };
  const adding = view.adding.value;
  return (
    <label
      class={over.value ? 'files-door files-door-over' : 'files-door'}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        take(event.dataTransfer?.files);
      }}
    >
      {adding === undefined ? (
        <span class="files-door-title">{t('files.add')}</span>
      ) : (
        <span role="status" class="files-progress num">
          {t('files.adding', { name: adding.name, share: percent(adding.share) })}
          <progress value={adding.share} aria-label={adding.name} />
        </span>
      )}
      <input
        type="file"
        multiple
        class="files-input"
        disabled={adding !== undefined}
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = '';
        }}
      />
    </label>
  );
}

function Shelf({
  view,
  secret,
  onPlay,
}: {
  readonly view: FilesView;
  readonly secret: string;
  readonly onPlay: (name: string) => void;
}): JSX.Element {
  const files = view.list.value?.files;
  if (files === undefined) return <p class="muted">{t('files.loading')}</p>;
  if (files.length === 0) return <p class="muted">{t('files.none')}</p>;
  return (
    <ul class="files-list">
      {files.map(({ name, size }) => (
        <li key={name} class="panel files-row" aria-current={view.playing.value === name}>
          <button type="button" class="button button-plain files-play" onClick={() => onPlay(name)}>
            <Icon name="play" />
            <span class="files-name">{name}</span>
          </button>
          <span class="num muted small">{bytes(size)}</span>
          <a
            class="button button-plain button-icon"
            href={addressOf(name)}
            download={name}
            title={t('files.download')}
            aria-label={`${t('files.download')}: ${name}`}
          >
            <Icon name="external" />
          </a>
          <button
            type="button"
            class="button button-plain button-icon"
            title={t('files.delete')}
            aria-label={`${t('files.delete')}: ${name}`}
            onClick={() => {
              if (confirm(t('files.delete.sure', { name }))) void view.remove(name, secret);
            }}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Figures({ view }: { readonly view: FilesView }): JSX.Element | null {
  const figures = view.figures.value;
  const hello = figures?.hello;
  if (figures === undefined || hello === undefined) return null;
  const rows: readonly (readonly [string, string])[] = [
    [t('files.container'), hello.container],
    [t('files.codecs'), figures.codecs],
    [t('files.length'), clock(hello.duration * 1000)],
    [t('files.read'), `${bytes(figures.read)} / ${bytes(hello.size)}`],
    [t('files.received'), bytes(figures.received)],
    [t('files.ahead'), `${figures.ahead.toFixed(1)} s`],
    [t('files.wanted'), clock(Math.max(0, figures.wanted) * 1000)],
  ];
  return (
    <dl class="files-figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt class="muted small">{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const SPEEDS = [0.5, 1, 1.5, 2, 4] as const;

function Speed({ video }: { readonly video: () => HTMLVideoElement | null }): JSX.Element {
  const chosen = useSignal<number>(1);
  return (
    <fieldset class="files-speed">
      <legend class="out-of-sight">{t('files.speed')}</legend>
      <span class="muted small" aria-hidden="true">
        {t('files.speed')}
      </span>
      {SPEEDS.map((speed) => (
        <button
          key={speed}
          type="button"
          class="button button-plain num"
          aria-pressed={chosen.value === speed}
          onClick={() => {
            chosen.value = speed;
            const media = video();
            // The default one too: another file begins with it.
            if (media !== null) media.playbackRate = media.defaultPlaybackRate = speed;
          }}
        >
          {speed}×
        </button>
      ))}
    </fieldset>
  );
}

/** Media files of the server, played over a WebSocket, with what goes over it. */
export function Files({ view }: { readonly view: FilesView }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const secret = useSignal('');
  useEffect(() => {
    void view.load();
    return () => view.stop();
  }, [view]);
  const play = (name: string): void => {
    if (video.current !== null) void view.play(name, video.current);
  };
  return (
    <Frame place="elsewhere" title={t('files.title')}>
      <div class="files">
        <div>
          <h1>{t('files.title')}</h1>
          <p class="muted">{t('files.text')}</p>
        </div>
        {view.failure.value !== undefined && (
          <p class="notice" role="alert">
            <Icon name="alert" />
            {t('files.failed', { why: view.failure.value })}
          </p>
        )}
        <div class="files-columns">
          <section class="files-side" aria-label={t('files.list')}>
            {view.list.value?.open === false && (
              <label class="files-key small">
                {t('studio.key')}
                <input
                  type="password"
                  autocomplete="off"
                  value={secret.value}
                  onInput={(event) => {
                    secret.value = event.currentTarget.value;
                  }}
                />
              </label>
            )}
            <Door view={view} secret={secret.value} />
            <Shelf view={view} secret={secret.value} onPlay={play} />
          </section>
          <section class="files-stage" aria-label={t('files.player')}>
            <div class="files-screen">
              {/* biome-ignore lint/a11y/useMediaCaption: what is played is not known */}
              <video
                ref={video}
                class="files-video"
                controls={view.playing.value !== undefined}
                playsInline
              />
              {view.playing.value === undefined && <p class="files-choose">{t('files.choose')}</p>}
            </div>
            {view.playing.value !== undefined && <Speed video={() => video.current} />}
            <Figures view={view} />
            {view.playing.value !== undefined && <Wire messages={view.wire.value} />}
          </section>
        </div>
      </div>
    </Frame>
  );
}
