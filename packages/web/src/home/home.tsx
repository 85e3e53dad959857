import type { JSX } from 'preact';
import { live } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { GoLive } from '../parts/go-live.tsx';
import { Icon } from '../parts/icon.tsx';
import { byInterest } from '../parts/stream-facts.ts';
import { t } from '../words/words.ts';
import './home.css';
import { StreamCard } from './stream-card.tsx';

function Waiting(): JSX.Element {
  return (
    <ul class="grid" aria-busy="true" aria-label={t('home.loading')}>
      <li class="card card-empty" />
      <li class="card card-empty" />
    </ul>
  );
}

function Nothing(): JSX.Element {
  return (
    <>
      <div class="home-head">
        <h1>{t('home.empty.title')}</h1>
        <p class="muted">{t('home.empty.text')}</p>
      </div>
      <GoLive />
    </>
  );
}

/** What is on air; if nothing is, how to go on air. */
export function Home(): JSX.Element {
  const streams = live().streams.value;
  const shown = streams
    ?.filter((stream) => stream.state === 'live' || stream.state === 'waiting')
    .sort(byInterest);
  return (
    <Frame place="home" title="onair">
      {shown === undefined ? (
        <Waiting />
      ) : shown.length === 0 ? (
        <Nothing />
      ) : (
        <>
          <div class="home-head">
            <h1>{t('home.title')}</h1>
          </div>
          <ul class={shown.length <= 2 ? `grid grid-${shown.length}` : 'grid'}>
            {shown.map((stream) => (
              <StreamCard key={stream.name} stream={stream} />
            ))}
          </ul>
          <details class="home-more">
            <summary class="button">
              <Icon name="camera" />
              {t('home.golive')}
            </summary>
            <GoLive />
          </details>
        </>
      )}
      <a class="home-about muted small" href="/about">
        {t('home.about')}
      </a>
    </Frame>
  );
}
