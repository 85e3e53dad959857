import type { Poll } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { Icon } from '../parts/icon.tsx';
import { number, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { ConsoleState } from './console-state.ts';

/** Questions shown. */
const MAX_SHOWN = 5;

function Result({ poll, onEnd }: { readonly poll: Poll; readonly onEnd: () => void }): JSX.Element {
  const total = poll.counts.reduce((sum, count) => sum + count, 0);
  return (
    <li class="poll">
      <div class="poll-head">
        <h3>{poll.question}</h3>
        {poll.closed ? (
          <span class="muted small">{t('operator.poll.closed')}</span>
        ) : (
          <button type="button" class="button" onClick={onEnd}>
            <Icon name="stop" small />
            {t('operator.poll.end')}
          </button>
        )}
      </div>
      <dl class="poll-bars">
        {poll.choices.map((choice, at) => {
          const count = poll.counts[at] ?? 0;
          const share = total === 0 ? 0 : count / total;
          return (
            <div key={choice} class="poll-bar">
              <dt>
                {poll.correct === at && <Icon name="check" small />}
                {choice}
              </dt>
              <dd class="num">
                {number(count)} · {percent(share)}
              </dd>
              <div class="poll-track" aria-hidden="true">
                <div class="poll-fill" style={{ width: `${share * 100}%` }} />
              </div>
            </div>
          );
        })}
      </dl>
      <p class="muted small num">
        {poll.stream} · {t('overlay.total', { count: number(total) })}
      </p>
    </li>
  );
}

/** Questions to the viewers with the answers until now. */
export function PollResults({ state }: { readonly state: ConsoleState }): JSX.Element {
  const polls = state.polls.value.slice(0, MAX_SHOWN);
  return (
    <section class="panel console-list">
      <h2>{t('operator.polls')}</h2>
      {polls.length === 0 ? (
        <p class="muted small">{t('operator.polls.none')}</p>
      ) : (
        <ul>
          {polls.map((poll) => (
            <Result key={`${poll.stream} ${poll.id}`} poll={poll} onEnd={() => void state.endPoll(poll)} />
          ))}
        </ul>
      )}
    </section>
  );
}
