import type { FiredEvent } from '@onair/client';
import { decodePoll, Field } from '@onair/contracts/api';
import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiFault } from '../api/api-client.ts';
import { api } from '../api/live.ts';
import { Icon } from '../parts/icon.tsx';
import { number, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import './event-overlay.css';
import { readShown, type Shown, showMs, voterToken } from './shown.ts';

function Question({
  shown,
  stream,
}: {
  readonly shown: Extract<Shown, { kind: 'question' }>;
  readonly stream: string;
}): JSX.Element {
  const answered = useSignal<{ readonly choice: number; readonly counts?: readonly number[] } | undefined>(
    undefined,
  );
  const fault = useSignal('');
  const answer = async (choice: number): Promise<void> => {
    answered.value = { choice };
    try {
      const path = `/streams/${stream}/polls/${encodeURIComponent(shown.id)}/votes`;
      const value = await api.ask('POST', path, { choice, voter: voterToken() });
      answered.value = { choice, counts: decodePoll(new Field(value)).counts };
    } catch (error) {
      const code = error instanceof ApiFault ? error.code : undefined;
      if (code === 'ALREADY_ANSWERED') return;
      fault.value = t(code === 'POLL_CLOSED' ? 'overlay.closed' : 'overlay.failed');
      if (code !== 'POLL_CLOSED') answered.value = undefined;
    }
  };
  const { counts, choice: mine } = answered.value ?? {};
  return (
    <>
      <p class="overlay-question">{shown.question}</p>
      <ul class="overlay-choices">
        {shown.choices.map((choice, at) => (
          <li key={choice}>
            <button
              type="button"
              class="overlay-choice"
              aria-pressed={mine === at}
              disabled={mine !== undefined}
              onClick={() => void answer(at)}
            >
              {mine === at && <Icon name="check" small />}
              <span>{choice}</span>
              {counts !== undefined && <span class="num overlay-count">{share(counts, at)}</span>}
            </button>
          </li>
        ))}
      </ul>
      {(mine !== undefined || fault.value !== '') && (
        <p class="small">{fault.value || t('overlay.thanks')}</p>
      )}
    </>
  );
}

function share(counts: readonly number[], at: number): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return percent(total === 0 ? 0 : (counts[at] ?? 0) / total);
}

function Result({ shown }: { readonly shown: Extract<Shown, { kind: 'result' }> }): JSX.Element {
  const total = shown.counts.reduce((sum, count) => sum + count, 0);
  return (
    <>
      <p class="overlay-question">{shown.question}</p>
      <ul class="overlay-choices">
        {shown.choices.map((choice, at) => (
          <li key={choice} class="overlay-result">
            <span>
              {shown.correct === at && <Icon name="check" small />}
              {choice}
            </span>
            <span class="num">{share(shown.counts, at)}</span>
            <span class="overlay-track" aria-hidden="true">
              <span
                class="overlay-fill"
                style={{ width: `${total === 0 ? 0 : ((shown.counts[at] ?? 0) / total) * 100}%` }}
              />
            </span>
          </li>
        ))}
      </ul>
      <p class="small num">{t('overlay.total', { count: number(total) })}</p>
    </>
  );
}

/** Messages, questions and their answers, on the picture they belong to. @param events the latest event of the player */
export function EventOverlay({
  events,
  stream,
}: {
  readonly events: Signal<FiredEvent | undefined>;
  /** `APP/NAME`. */
  readonly stream: string;
}): JSX.Element {
  const shown = useSignal<Shown | undefined>(undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = events.subscribe((event) => {
      const next = event === undefined ? undefined : readShown(event);
      if (event === undefined || next === undefined) return;
      clearTimeout(timer);
      shown.value = next;
      timer = setTimeout(() => {
        shown.value = undefined;
      }, showMs(event));
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [events]);
  const now = shown.value;
  return (
    <div class="overlay" role="status">
      {now?.kind === 'message' && <p class="overlay-card overlay-message">{now.text}</p>}
      {now !== undefined && now.kind !== 'message' && (
        <div class="overlay-card" key={now.id}>
          {now.kind === 'question' ? <Question shown={now} stream={stream} /> : <Result shown={now} />}
          <button
            type="button"
            class="overlay-close"
            aria-label={t('overlay.close')}
            onClick={() => {
              shown.value = undefined;
            }}
          >
            <Icon name="close" small />
          </button>
        </div>
      )}
    </div>
  );
}
