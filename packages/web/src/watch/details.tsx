import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { Sparkline } from '../parts/sparkline.tsx';
import { trackFacts } from '../parts/stream-facts.ts';
import { bitrate, number, transportName } from '../words/format.ts';
import { t } from '../words/words.ts';

/** What comes in and how it goes out. */
export function Details({ stream }: { readonly stream: StreamInfo }): JSX.Element {
  const rate = bitrate(stream.bitrateIn);
  const ways = Object.entries(stream.viewersByTransport).filter(([, count]) => count > 0);
  return (
    <dl class="facts">
      {stream.tracks.map((track) => (
        <div key={`${track.kind}${track.codec}`}>
          <dt>{t(`track.${track.kind}`)}</dt>
          <dd>{trackFacts(track)}</dd>
        </div>
      ))}
      <div>
        <dt>{t('bitrate')}</dt>
        <dd class="num facts-rate">
          {rate}
          <Sparkline values={stream.bitrateHistory} label={t('bitrate.history', { now: rate })} />
        </dd>
      </div>
      {stream.publisher !== undefined && (
        <div>
          <dt>{t('publisher')}</dt>
          <dd>
            {transportName(stream.publisher.protocol)}
            {stream.publisher.encoder !== undefined && <span class="muted"> {stream.publisher.encoder}</span>}
          </dd>
        </div>
      )}
      {ways.length > 0 && (
        <div>
          <dt>{t('viewers.ways')}</dt>
          <dd class="num">
            {ways.map(([way, count]) => `${transportName(way)} ${number(count)}`).join(' · ')}
          </dd>
        </div>
      )}
    </dl>
  );
}
