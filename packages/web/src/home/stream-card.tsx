import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { serverNow } from '../api/live.ts';
import { Icon } from '../parts/icon.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { appName, shortName, streamFacts } from '../parts/stream-facts.ts';
import { Tally } from '../parts/tally.tsx';
import { bitrate, clock, number } from '../words/format.ts';
import { t } from '../words/words.ts';
import { Preview } from './preview.tsx';

/** One stream on the front page. The whole card leads to it. */
export function StreamCard({
  stream,
}: {
  readonly stream: StreamInfo;
  readonly first?: boolean;
}): JSX.Element {
  const began = stream.publisher?.since ?? stream.since;
  const rate = bitrate(stream.bitrateIn);
  return (
    <li class={stream.state === 'live' ? 'card card-live' : 'card'}>
      <div class="card-picture">
        <Preview stream={stream} />
        <div class="card-badges">
          <Tally stream={stream} />
          {stream.state === 'live' && (
            <span class="card-uptime num">
              <span class="out-of-sight">{t('home.uptime')} </span>
              {clock(serverNow.value - began)}
            </span>
          )}
        </div>
      </div>
      <div class="card-text">
        <h2 class="card-name">
          <a class="card-link" href={`/watch/${stream.name}`}>
            {shortName(stream.name)} <span class="card-app">{appName(stream.name)}</span>
          </a>
        </h2>
        <span class="card-viewers num">
          <Icon name="eye" small />
          {number(stream.viewers)}
          <span class="out-of-sight"> {t('viewers')}</span>
        </span>
        <p class="card-facts">{streamFacts(stream)}</p>
        <span class="card-rate num">
          <Sparkline
            values={stream.bitrateHistory}
            label={t('bitrate.history', { now: rate })}
            width={72}
            height={20}
          />
          {rate}
        </span>
      </div>
    </li>
  );
}
