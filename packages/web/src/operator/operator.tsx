import type { JSX } from 'preact';
import { live } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { byInterest } from '../parts/stream-facts.ts';
import { t } from '../words/words.ts';
import type { ConsoleState } from './console-state.ts';
import { CuePanel } from './cue-panel.tsx';
import { EventLog } from './event-log.tsx';
import { Monitor } from './monitor.tsx';
import './operator.css';
import { PollResults } from './poll-results.tsx';
import { Upcoming } from './upcoming.tsx';

/** Most pictures that are shown at one time. */
const MAX_MONITORS = 9;

/** Every ingest with least delay, and what one press tells the viewers. */
export function Operator({ state }: { readonly state: ConsoleState }): JSX.Element {
  const streams = [...(live().streams.value ?? [])]
    .filter((stream) => stream.state === 'live' || stream.state === 'waiting')
    .sort(byInterest)
    .slice(0, MAX_MONITORS);
  const target = state.target.value ?? streams[0]?.name;
  if (state.target.value === undefined && target !== undefined) state.target.value = target;
  return (
    <Frame place="dashboard" title={t('operator.title')}>
      <h1>{t('operator.title')}</h1>
      <div class={state.armed.value ? 'console console-armed' : 'console'}>
        <section class="console-wall" aria-label={t('operator.monitors')}>
          {streams.length === 0 ? (
            <p class="muted small console-none">{t('dashboard.noStreams')}</p>
          ) : (
            <ul class="monitors">
              {streams.map((stream) => (
                <Monitor
                  key={stream.name}
                  stream={stream}
                  chosen={stream.name === target}
                  onChoose={() => {
                    state.target.value = stream.name;
                  }}
                />
              ))}
            </ul>
          )}
        </section>
        {state.admin.value === false ? (
          <p class="notice console-sign">
            <Icon name="key" />
            <span>
              {t('operator.signin')} <a href="/signin?next=/operator">{t('signin.enter')}</a>
            </span>
          </p>
        ) : (
          <>
            <CuePanel state={state} />
            <div class="console-lists">
              <Upcoming state={state} />
              <PollResults state={state} />
              <EventLog records={state.records.value} />
            </div>
          </>
        )}
      </div>
    </Frame>
  );
}
