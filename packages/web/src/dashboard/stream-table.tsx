import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { serverNow } from '../api/live.ts';
import { Sparkline } from '../parts/sparkline.tsx';
import { streamFacts } from '../parts/stream-facts.ts';
import { Tally } from '../parts/tally.tsx';
import { bitrate, clock, number, transportName } from '../words/format.ts';
import { t } from '../words/words.ts';
import './table.css';

function ways(stream: StreamInfo): string {
  return Object.entries(stream.viewersByTransport)
    .filter(([, count]) => count > 0)
    .map(([way, count]) => `${transportName(way)} ${number(count)}`)
    .join(' · ');
}

/** Every stream that the server knows. */
export function StreamTable({ streams }: { readonly streams: readonly StreamInfo[] }): JSX.Element {
  if (streams.length === 0) return <p class="muted small dashboard-none">{t('dashboard.noStreams')}</p>;
  return (
    <div class="panel table-box">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('column.stream')}</th>
            <th scope="col">{t('column.state')}</th>
            <th scope="col">{t('column.since')}</th>
            <th scope="col">{t('column.media')}</th>
            <th scope="col">{t('bitrate')}</th>
            <th scope="col">{t('figure.viewers')}</th>
            <th scope="col">{t('publisher')}</th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.name}>
              <th scope="row">
                <a href={`/watch/${stream.name}`}>{stream.name}</a>
              </th>
              <td data-label={t('column.state')}>
                <Tally stream={stream} />
              </td>
              <td class="num" data-label={t('column.since')}>
                {clock(serverNow.value - stream.since)}
              </td>
              <td data-label={t('column.media')}>{streamFacts(stream)}</td>
              <td class="num" data-label={t('bitrate')}>
                <span class="table-rate">
                  {bitrate(stream.bitrateIn)}
                  <Sparkline
                    values={stream.bitrateHistory}
                    label={t('bitrate.history', { now: bitrate(stream.bitrateIn) })}
                  />
                </span>
              </td>
              <td class="num" data-label={t('figure.viewers')}>
                {number(stream.viewers)}
                <span class="table-more">{ways(stream)}</span>
                {(stream.viewersByTransport.relay ?? 0) > 0 && (
                  <a class="table-more" href={`/relay/${stream.name}`}>
                    {t('relay.title')}
                  </a>
                )}
              </td>
              <td data-label={t('publisher')}>
                {stream.publisher === undefined ? '–' : transportName(stream.publisher.protocol)}
                <span class="table-more">{stream.publisher?.encoder}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
