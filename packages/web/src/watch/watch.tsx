import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { live, serverNow } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { OnPicture } from '../overlay/on-picture.tsx';
import { Icon } from '../parts/icon.tsx';
import { Tally } from '../parts/tally.tsx';
import { passKeysOn } from '../player/keys.ts';
import { PlayerBox } from '../player/player-box.tsx';
import { playerView } from '../player/player-view.ts';
import { clock, number } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { StreamAddress } from './address.ts';
import { LatencyChip, TransportChip } from './chips.tsx';
import { Details } from './details.tsx';
import { ShareChip } from './share.tsx';
import './watch.css';
import { WaitingCard } from './waiting-card.tsx';

/** One stream, large. */
export function Watch({ stream }: { readonly stream: StreamAddress }): JSX.Element {
  const view = useMemo(() => playerView('lowest', 'auto'), []);
  useEffect(() => passKeysOn(view), [view]);
  const streams = live().streams.value;
  const found = streams?.find((entry) => entry.name === stream.full);
  const never =
    streams !== undefined && (found === undefined || found.state === 'idle' || found.state === 'ended');
  return (
    <Frame place="elsewhere" wide title={stream.name}>
      <div class="stage">
        <div class="stage-box">
          <PlayerBox src={`/${stream.full}`} view={view} />
          <OnPicture view={view} stream={stream.full} />
          {never && <WaitingCard stream={stream} ended={found?.state === 'ended'} />}
        </div>
      </div>
      <div class="watch">
        <div class="watch-head">
          <h1>
            {stream.name} <span class="watch-app">{stream.app}</span>
          </h1>
          <div class="watch-state">
            {streams !== undefined && <Tally stream={found} />}
            {found !== undefined && (
              <>
                <span class="watch-fact num">
                  <Icon name="eye" small />
                  {t('viewers.count', { count: number(found.viewers) })}
                </span>
                {found.state === 'live' && (
                  <span class="watch-fact num">
                    <Icon name="clock" small />
                    <span class="out-of-sight">{t('home.uptime')} </span>
                    {clock(serverNow.value - (found.publisher?.since ?? found.since))}
                  </span>
                )}
              </>
            )}
          </div>
        </div>
        <div class="watch-chips">
          <LatencyChip view={view} />
          <TransportChip view={view} />
          <ShareChip stream={stream} />
          <a class="button chip" href={`/compare/${stream.full}`}>
            <Icon name="compare" small />
            {t('watch.compare')}
          </a>
        </div>
        {found !== undefined && found.tracks.length > 0 && <Details stream={found} />}
      </div>
    </Frame>
  );
}
