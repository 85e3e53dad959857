import type { SessionInfo } from '@onair/contracts/api';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { serverNow } from '../api/live.ts';
import { Icon } from '../parts/icon.tsx';
import { bitrate, bytes, clock, delay, number, transportName } from '../words/format.ts';
import { t } from '../words/words.ts';
import './table.css';

/** Ends a session on the second press, so that a slip of the finger ends nothing. */
function KickButton({
  onKick,
  what,
}: {
  readonly onKick: () => Promise<void>;
  readonly what: string;
}): JSX.Element {
  const step = useSignal<'calm' | 'sure' | 'busy' | 'failed'>('calm');
  const press = async (): Promise<void> => {
    if (step.value === 'calm' || step.value === 'failed') {
      step.value = 'sure';
      return;
    }
    step.value = 'busy';
    try {
      await onKick();
    } catch {
      step.value = 'failed';
    }
  };
  const word = t(`kick.${step.value}`);
  return (
    <button
      type="button"
      class={step.value === 'sure' ? 'button kick kick-sure' : 'button kick'}
      disabled={step.value === 'busy'}
      onClick={press}
      onBlur={() => {
        if (step.value === 'sure') step.value = 'calm';
      }}
      aria-label={`${word}: ${what}`}
    >
      <Icon name="close" small />
      {word}
    </button>
  );
}

/** Every connection with its counters. */
export function SessionTable({
  sessions,
  onKick,
}: {
  readonly sessions: readonly SessionInfo[];
  readonly onKick: (id: string) => Promise<void>;
}): JSX.Element {
  if (sessions.length === 0) return <p class="muted small dashboard-none">{t('dashboard.noSessions')}</p>;
  return (
    <div class="panel table-box">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('column.who')}</th>
            <th scope="col">{t('column.stream')}</th>
            <th scope="col">{t('transport')}</th>
            <th scope="col">{t('column.since')}</th>
            <th scope="col">{t('column.bytes')}</th>
            <th scope="col">{t('column.backlog')}</th>
            <th scope="col">{t('column.lost')}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <tr key={session.id}>
              <th scope="row">
                {session.address}
                <span class="table-more table-agent" title={session.agent}>
                  {t(`session.${session.kind}`)}
                  {session.agent !== undefined && ` · ${session.agent}`}
                </span>
              </th>
              <td data-label={t('column.stream')}>
                <a href={`/watch/${session.stream}`}>{session.stream}</a>
              </td>
              <td data-label={t('transport')}>{transportName(session.protocol)}</td>
              <td class="num" data-label={t('column.since')}>
                {clock(serverNow.value - session.since)}
              </td>
              <td class="num" data-label={t('column.bytes')}>
                {bytes(session.bytes)}
                <span class="table-more">{session.bitrate !== undefined && bitrate(session.bitrate)}</span>
              </td>
              <td class="num" data-label={t('column.backlog')}>
                {session.backlogMs === undefined ? '–' : delay(session.backlogMs)}
              </td>
              <td class="num" data-label={t('column.lost')}>
                {number(session.dropped)}
                {session.skips > 0 && (
                  <span class="table-more">{t('column.skips', { count: number(session.skips) })}</span>
                )}
              </td>
              <td class="table-act">
                <KickButton onKick={() => onKick(session.id)} what={`${session.address} ${session.stream}`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
