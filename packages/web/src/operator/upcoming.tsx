import type { JSX } from 'preact';
import { serverNow } from '../api/live.ts';
import { Icon } from '../parts/icon.tsx';
import { clock } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { ConsoleState } from './console-state.ts';

/** Events that wait for their time. */
export function Upcoming({ state }: { readonly state: ConsoleState }): JSX.Element {
  const scheduled = state.scheduled.value;
  return (
    <section class="panel console-list">
      <h2>{t('operator.schedule')}</h2>
      {scheduled.length === 0 ? (
        <p class="muted small">{t('operator.schedule.none')}</p>
      ) : (
        <ul>
          {scheduled.map((one) => (
            <li key={`${one.stream} ${one.event.id}`} class="upcoming">
              <span class="num upcoming-left">
                {one.due === undefined ? '–' : clock(one.due - serverNow.value)}
              </span>
              <span class="upcoming-what">
                {one.event.name}
                <span class="muted small">
                  {one.stream}
                  {one.of === 'media' ? ` · ${clock(one.event.time / 1000)}` : ''}
                </span>
              </span>
              <button
                type="button"
                class="button"
                onClick={() => void state.cancel(one)}
                aria-label={`${t('operator.cancel')}: ${one.event.name}`}
              >
                <Icon name="close" small />
                {t('operator.cancel')}
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
