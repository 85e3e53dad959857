import { useSignal } from '@preact/signals';
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { ApiFault } from '../api/api-client.ts';
import { compare, type Lane } from '../compare/lanes.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { PlayerBox } from '../player/player-box.tsx';
import { bitrate, delay } from '../words/format.ts';
import { t, type WordKey } from '../words/words.ts';
import { fetchSource, lookAt } from './fetching.ts';
import './proxy.css';

/** Milliseconds between two looks at how the source is. */
const LOOK_MS = 2000;

/** What a source becomes: fragments made by the server, or FLV that the page takes apart. */
const TITLES: Readonly<Record<string, WordKey>> = { ws: 'proxy.server', flv: 'proxy.page' };

function LaneBox({ lane, stream }: { readonly lane: Lane; readonly stream: string }): JSX.Element {
  const reading = lane.reading.value;
  const figures = lane.view.figures.value;
  const status = lane.view.status.value;
  // By WebSocket both: the address says so for FLV.
  const src = new URL(`/${stream}`, location.href.replace(/^http/, 'ws')).href;
  return (
    <li class="panel proxy-lane" data-transport={lane.transport}>
      <PlayerBox src={src} view={lane.view} controls={false} muted />
      <div class="proxy-text">
        <h2>{t(TITLES[lane.transport] ?? 'proxy.server')}</h2>
        <p class="num">
          <span class="proxy-delay">{reading === undefined ? '–' : delay(reading.ms)}</span>{' '}
          <span class="muted small">{t('proxy.delay')}</span>
        </p>
        <p class="muted small num">
          {status?.kind === 'failed'
            ? status.failure.detail
            : `${figures?.codecs ?? ''} ${figures?.bitrate === undefined ? '' : bitrate(figures.bitrate)}`}
        </p>
      </div>
    </li>
  );
}

function Lanes({ stream }: { readonly stream: string }): JSX.Element {
  const comparison = useMemo(() => compare(['ws', 'flv']), []);
  useEffect(() => () => comparison.stop(), [comparison]);
  return (
    <ul class="proxy-lanes">
      {comparison.lanes.map((lane) => (
        <LaneBox key={lane.transport} lane={lane} stream={stream} />
      ))}
    </ul>
  );
}

/** Any live FLV, fetched by the server and played in two ways side by side. */
export function LiveProxy({ address }: { readonly address: string }): JSX.Element {
  const typed = useSignal(address);
  const secret = useSignal('');
  const keyNeeded = useSignal(false);
  const stream = useSignal<string | undefined>(undefined);
  const failure = useSignal<string | undefined>(undefined);

  const begin = async (): Promise<void> => {
    failure.value = undefined;
    stream.value = undefined;
    try {
      stream.value = (await fetchSource(typed.peek().trim(), secret.peek())).stream;
    } catch (error) {
      if (error instanceof ApiFault && error.code === 'PUBLISH_REFUSED') keyNeeded.value = true;
      const why = error instanceof Error ? error.message : String(error);
      const refused = error instanceof ApiFault && error.code === 'ADDRESS_NOT_PUBLIC';
      failure.value = refused ? t('proxy.private', { why }) : why;
    }
  };
  useEffect(() => {
    if (address !== '') void begin();
    const timer = setInterval(async () => {
      const watched = stream.peek();
      if (watched === undefined) return;
      const state = await lookAt(watched).catch(() => undefined);
      if (stream.peek() === watched && state !== undefined) failure.value = state.failure;
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void begin();
  };
  return (
    <Frame place="elsewhere" title={t('proxy.title')}>
      <div class="proxy">
        <div>
          <h1>{t('proxy.title')}</h1>
          <p class="muted">{t('proxy.text')}</p>
        </div>
        <form class="proxy-form" onSubmit={submit}>
          <label class="proxy-field">
            {t('proxy.address')}
            <input
              type="text"
              inputMode="url"
              placeholder="http://example.org/live/feed.flv"
              value={typed.value}
              onInput={(event) => {
                typed.value = event.currentTarget.value;
              }}
            />
          </label>
          {keyNeeded.value && (
            <label class="proxy-field">
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
          <button type="submit" class="button button-main">
            <Icon name="play" />
            {t('proxy.start')}
          </button>
        </form>
        {failure.value !== undefined && (
          <p class="notice" role="alert">
            <Icon name="alert" />
            {t('proxy.failed', { why: failure.value })}
          </p>
        )}
        {stream.value !== undefined && <Lanes key={stream.value} stream={stream.value} />}
      </div>
    </Frame>
  );
}
