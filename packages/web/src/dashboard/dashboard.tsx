import type { JSX } from 'preact';
import { info, live } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { byInterest } from '../parts/stream-facts.ts';
import { number } from '../words/format.ts';
import { t } from '../words/words.ts';
import './dashboard.css';
import { type Alert, alertsOf } from './figures.ts';
import { SessionTable } from './session-table.tsx';
import { StreamTable } from './stream-table.tsx';
import { Tiles } from './tiles.tsx';
import type { ServerView } from './watch-server.ts';

function alertText(alert: Alert): string {
  switch (alert.kind) {
    case 'stopping':
      return t('alert.stopping');
    case 'busy':
      return t('alert.busy', { delay: number(alert.loopDelay) });
    case 'slow':
      return t('alert.slow', { name: alert.stream, count: number(alert.sessions) });
    default:
      return t(`alert.${alert.kind}`, { name: alert.stream });
  }
}

function Alerts({ alerts }: { readonly alerts: readonly Alert[] }): JSX.Element {
  return (
    <section class="alerts" aria-label={t('dashboard.alerts')} aria-live="polite">
      {alerts.length === 0 ? (
        <p class="alerts-none">
          <Icon name="check" />
          {t('alert.none')}
        </p>
      ) : (
        <ul>
          {alerts.map((alert) => (
            <li key={JSON.stringify(alert)} class="notice">
              <Icon name="alert" />
              {alertText(alert)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Operator({ view }: { readonly view: ServerView }): JSX.Element | null {
  if (view.admin.value === undefined) return null;
  return view.admin.value ? (
    <button type="button" class="button" onClick={() => view.signOut()}>
      {t('signin.leave')}
    </button>
  ) : (
    <a class="button" href="/signin?next=/dashboard">
      <Icon name="key" />
      {t('signin.enter')}
    </a>
  );
}

/** The state of the server: what needs somebody, the figures, the streams, the sessions. */
export function Dashboard({ view }: { readonly view: ServerView }): JSX.Element {
  const streams = [...(live().streams.value ?? [])].sort(byInterest);
  const sessions = view.sessions.value ?? [];
  const health = view.health.value;
  return (
    <Frame place="dashboard" title={t('nav.dashboard')}>
      <div class="dashboard-head">
        <h1>{t('nav.dashboard')}</h1>
        <span class="muted small num">{info.value !== undefined && `onair ${info.value.version}`}</span>
        <a class="button dashboard-console" href="/operator">
          <Icon name="bolt" />
          {t('operator.title')}
        </a>
        <Operator view={view} />
      </div>
      <div class="dashboard">
        {health !== undefined && live().streams.value !== undefined && (
          <Alerts alerts={alertsOf(health, streams, sessions)} />
        )}
        <Tiles health={health} moments={view.moments.value} streams={streams} />
        <section>
          <h2>{t('dashboard.streams')}</h2>
          <StreamTable streams={streams} />
        </section>
        <section>
          <h2>{t('dashboard.sessions')}</h2>
          {view.admin.value === false ? (
            <p class="muted small dashboard-none">{t('dashboard.signin')}</p>
          ) : (
            <SessionTable sessions={sessions} onKick={(id) => view.kick(id)} />
          )}
        </section>
      </div>
    </Frame>
  );
}
