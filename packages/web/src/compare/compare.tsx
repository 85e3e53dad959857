import type { Transport } from '@onair/client';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { clockOffset, live } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { Tally } from '../parts/tally.tsx';
import { PlayerBox } from '../player/player-box.tsx';
import { TimePlot } from '../plot/time-plot.tsx';
import type { StreamAddress } from '../watch/address.ts';
import { WaitingCard } from '../watch/waiting-card.tsx';
import { delay, number, transportName } from '../words/format.ts';
import { t } from '../words/words.ts';
import './compare.css';
import { type Comparison, compare, type Lane } from './lanes.ts';
import { scaleOf } from './readings.ts';

/** The transports side by side, least delay expected first. */
const COMPARED: readonly Transport[] = ['ws', 'flv', 'llhls', 'hls'];
/** Strokes and gaps that tell the courses apart beside their colours, pixels. */
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 4], [12, 4, 2, 4]];

/** The server's wall clock with milliseconds, for the eye. */
function WallClock(): JSX.Element {
  const face = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let frame = 0;
    const tick = (): void => {
      const now = new Date(Date.now() + clockOffset.peek());
      if (face.current !== null) face.current.textContent = now.toISOString().slice(11, 23);
      frame = requestAnimationFrame(tick);
    };
    tick();
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <p class="wall-clock">
      <span class="muted small">{t('compare.clock')}</span>
      <span ref={face} class="wall-clock-face num" aria-hidden="true" />
    </p>
  );
}

/** Why a lane shows no figure; empty if it does. */
function laneState(lane: Lane): string {
  const status = lane.view.status.value;
  switch (status?.kind) {
    case 'failed':
      return status.failure.detail;
    case 'waiting':
      return t('state.idle');
    case 'absent':
    case 'reconnecting':
      return t('state.waiting');
    case 'ended':
      return t('state.ended');
    default:
      return lane.reading.value === undefined ? t('compare.starting') : '';
  }
}

function LaneTile({ lane, src }: { readonly lane: Lane; readonly src: string }): JSX.Element {
  const reading = lane.reading.value;
  const figures = lane.view.figures.value;
  return (
    <li class="panel lane">
      <div class="lane-stage">
        <PlayerBox src={src} view={lane.view} controls={false} muted />
      </div>
      <div class="lane-text">
        <h2>{transportName(lane.transport)}</h2>
        <span class="lane-delay num">{reading === undefined ? '–' : delay(reading.ms)}</span>
        <p class="muted small num">
          {laneState(lane) ||
            t('compare.lane', {
              stalls: number(figures?.stalls ?? 0),
              dropped: number(figures?.dropped ?? 0),
            })}
        </p>
      </div>
    </li>
  );
}

function Bars({ lanes }: { readonly lanes: readonly Lane[] }): JSX.Element {
  const scale = scaleOf(lanes.map((lane) => lane.reading.value?.ms ?? 0));
  return (
    <table class="bars">
      <caption class="out-of-sight">{t('compare.bars')}</caption>
      <tbody>
        {lanes.map((lane, at) => {
          const ms = lane.reading.value?.ms;
          return (
            <tr key={lane.transport}>
              <th scope="row">{transportName(lane.transport)}</th>
              <td class="bar-track">
                {ms !== undefined && (
                  <div
                    class="bar"
                    style={{ width: `${(ms / scale) * 100}%`, background: `var(--series-${at + 1})` }}
                  />
                )}
              </td>
              <td class="num bar-value">{ms === undefined ? '–' : delay(ms)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Explained({ comparison }: { readonly comparison: Comparison }): JSX.Element {
  const by = comparison.lanes.map((lane) => lane.reading.value?.by).filter((one) => one !== undefined);
  const text =
    by.length === 0 ? 'compare.by.none' : by.includes('server') ? 'compare.by.server' : 'compare.by.picture';
  return (
    <p class="muted small compare-by">
      <Icon name="clock" small />
      {t(text)}
    </p>
  );
}

/** One stream by four transports, one clock, and how far each is behind. */
export function Compare({ stream }: { readonly stream: StreamAddress }): JSX.Element {
  const comparison = useMemo(() => compare(COMPARED), []);
  useEffect(() => () => comparison.stop(), [comparison]);
  const streams = live().streams.value;
  const found = streams?.find((entry) => entry.name === stream.full);
  const never =
    streams !== undefined && (found === undefined || found.state === 'idle' || found.state === 'ended');
  return (
    <Frame place="elsewhere" title={t('compare.title', { name: stream.name })}>
      <div class="compare-head">
        <div>
          <h1>{t('compare.title', { name: stream.name })}</h1>
          <p class="compare-state">
            {streams !== undefined && <Tally stream={found} />}
            <a href={`/watch/${stream.full}`}>{t('compare.watch')}</a>
          </p>
        </div>
        <WallClock />
      </div>
      {never ? (
        <div class="panel compare-waiting">
          <WaitingCard stream={stream} ended={found?.state === 'ended'} />
        </div>
      ) : (
        <>
          <ul class="lanes">
            {comparison.lanes.map((lane) => (
              <LaneTile key={lane.transport} lane={lane} src={`/${stream.full}`} />
            ))}
          </ul>
          <div class="compare-figures">
            <section class="panel compare-part">
              <h2>{t('compare.now')}</h2>
              <Bars lanes={comparison.lanes} />
              <Explained comparison={comparison} />
            </section>
            <section class="panel compare-part">
              <h2>{t('compare.course')}</h2>
              <TimePlot
                label={t('compare.course')}
                times={comparison.times.value}
                lines={comparison.lanes.map((lane, at) => ({
                  name: transportName(lane.transport),
                  values: lane.course.value,
                  color: `--series-${at + 1}`,
                  dash: DASHES[at] ?? [],
                }))}
                write={delay}
                least={500}
                height={220}
              />
            </section>
          </div>
        </>
      )}
    </Frame>
  );
}
