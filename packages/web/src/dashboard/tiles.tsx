import type { Health, StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { TimePlot } from '../plot/time-plot.tsx';
import { bitrate, bytes, clock, delay, number, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { Moment } from './figures.ts';

function Tile({
  label,
  value,
  moments,
  of,
  write,
  least,
}: {
  readonly label: string;
  readonly value: string;
  readonly moments?: readonly Moment[];
  readonly of?: (moment: Moment) => number;
  readonly write?: (value: number) => string;
  readonly least?: number;
}): JSX.Element {
  return (
    <div class="panel tile">
      <span class="tile-label">{label}</span>
      <span class="tile-value num">{value}</span>
      {moments !== undefined && of !== undefined && write !== undefined && least !== undefined && (
        <TimePlot
          label={label}
          times={moments.map((moment) => moment.time)}
          lines={[{ name: label, values: moments.map(of) }]}
          write={write}
          least={least}
          height={124}
        />
      )}
    </div>
  );
}

/** What the server sends beside what it would without viewers that pass streams on. */
function Saved({ moments }: { readonly moments: readonly Moment[] }): JSX.Element | null {
  const last = moments.at(-1);
  if (last?.relayed === undefined) return null;
  const direct = last.out + last.relayed;
  const share = direct === 0 ? '' : ` · ${percent(last.relayed / direct)}`;
  return (
    <div class="panel tile" data-tile="saved">
      <span class="tile-label">{t('relay.saved')}</span>
      <span class="tile-value num">{`${bitrate(last.relayed)}${share}`}</span>
      <TimePlot
        label={t('relay.plot')}
        times={moments.map(({ time }) => time)}
        lines={[
          {
            name: t('relay.direct'),
            values: moments.map(({ out, relayed }) => (relayed === undefined ? null : out + relayed)),
            color: '--series-4',
            dash: [6, 4],
          },
          { name: t('relay.sent'), values: moments.map(({ out }) => out), color: '--series-1' },
        ]}
        write={bitrate}
        least={1e6}
        height={124}
      />
    </div>
  );
}

/** The server's figures, those that move with their course since the page was opened. */
export function Tiles({
  health,
  moments,
  streams,
}: {
  readonly health: Health | undefined;
  readonly moments: readonly Moment[];
  readonly streams: readonly StreamInfo[];
}): JSX.Element {
  const last = moments.at(-1);
  const none = '–';
  const incoming = streams.reduce((sum, stream) => sum + stream.bitrateIn, 0);
  return (
    <section class="tiles" aria-label={t('dashboard.figures')}>
      <Tile label={t('figure.live')} value={health === undefined ? none : number(health.live)} />
      <Tile label={t('figure.viewers')} value={health === undefined ? none : number(health.viewers)} />
      <Tile label={t('figure.in')} value={bitrate(incoming)} />
      <Tile label={t('figure.uptime')} value={health === undefined ? none : clock(health.uptime * 1000)} />
      <Tile
        label={t('figure.out')}
        value={last === undefined ? none : bitrate(last.out)}
        moments={moments}
        of={(moment) => moment.out}
        write={bitrate}
        least={1e6}
      />
      <Saved moments={moments} />
      <Tile
        label={t('figure.cpu')}
        value={last === undefined ? none : percent(last.cpu)}
        moments={moments}
        of={(moment) => moment.cpu}
        write={percent}
        least={0.2}
      />
      <Tile
        label={t('figure.memory')}
        value={health === undefined ? none : bytes(health.memoryBytes)}
        moments={moments}
        of={(moment) => moment.memory}
        write={bytes}
        least={1e8}
      />
      <Tile
        label={t('figure.loop')}
        value={health === undefined ? none : delay(health.eventLoopDelayMs)}
        moments={moments}
        of={(moment) => moment.loopDelay}
        write={delay}
        least={10}
      />
    </section>
  );
}
