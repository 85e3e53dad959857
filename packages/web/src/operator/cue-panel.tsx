import type { Cue } from '@onair/contracts/api';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { clockOffset, serverNow } from '../api/live.ts';
import { Icon } from '../parts/icon.tsx';
import { clock } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { ConsoleState, When } from './console-state.ts';
import { CueForm } from './cue-form.tsx';

/** What stands on a button. */
export function cueLabel({ label, id, name }: Pick<Cue, 'label' | 'id' | 'name'>): string {
  if (label !== undefined) return label;
  switch (id) {
    case 'cm-in':
      return t('operator.cue.cmIn');
    case 'cm-out':
      return t('operator.cue.cmOut');
    case 'message':
      return t('operator.cue.message');
    case 'poll':
      return t('operator.cue.poll');
    case 'quiz':
      return t('operator.cue.quiz');
    default:
      return name;
  }
}

const AFTER = [0, 3, 5, 10] as const;

function WhenField({ state }: { readonly state: ConsoleState }): JSX.Element {
  const when = state.when.value;
  const set = (next: When): void => {
    state.when.value = next;
  };
  const chosen = when.kind === 'after' ? String(when.seconds) : when.kind === 'now' ? '0' : when.kind;
  return (
    <div class="console-when">
      <label class="console-field">
        {t('operator.when')}
        <select
          value={chosen}
          onChange={({ currentTarget: { value } }) => {
            if (value === 'wall') set({ kind: 'wall', text: new Date().toTimeString().slice(0, 5) });
            else if (value === 'media') set({ kind: 'media', seconds: 0 });
            else set(value === '0' ? { kind: 'now' } : { kind: 'after', seconds: Number(value) });
          }}
        >
          {AFTER.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {seconds === 0 ? t('operator.when.now') : t('operator.when.after', { seconds })}
            </option>
          ))}
          <option value="wall">{t('operator.when.wall')}</option>
          <option value="media">{t('operator.when.media')}</option>
        </select>
      </label>
      {when.kind === 'wall' && (
        <label class="console-field">
          {t('operator.when.clock')}
          <input
            type="time"
            step="1"
            required
            value={when.text}
            onInput={({ currentTarget: { value } }) => set({ kind: 'wall', text: value })}
          />
        </label>
      )}
      {when.kind === 'media' && (
        <label class="console-field">
          {t('operator.when.seconds')}
          <input
            type="number"
            min="0"
            step="0.1"
            required
            value={when.seconds}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              set({ kind: 'media', seconds: Number.isFinite(valueAsNumber) ? valueAsNumber : 0 })
            }
          />
        </label>
      )}
    </div>
  );
}

/** Arming, the moment, the buttons, and the form of the one that asks for words. */
export function CuePanel({ state }: { readonly state: ConsoleState }): JSX.Element {
  const open = useSignal<Cue | 'custom' | undefined>(undefined);
  const editing = useSignal(false);
  const armed = state.armed.value;
  const now = serverNow.value - clockOffset.value;
  const press = (cue: Cue): void => {
    if (cue.form !== 'plain') open.value = cue;
    else if (state.armed.peek()) void state.fire(cue, cue.data);
  };
  useEffect(() => {
    const key = (event: KeyboardEvent): void => {
      const from = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (from.closest('input, textarea, select') !== null) return;
      const cue = state.cues.peek().find((one) => one.key === event.key.toLowerCase());
      if (cue === undefined) return;
      event.preventDefault();
      press(cue);
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, [state]);
  return (
    <section class="panel console-cues" aria-label={t('operator.cues')}>
      <div class="console-bar">
        <button
          type="button"
          class={armed ? 'button console-arm console-arm-on' : 'button console-arm'}
          aria-pressed={armed}
          onClick={() => {
            state.armed.value = !armed;
          }}
        >
          <Icon name="bolt" />
          {t(armed ? 'operator.armed' : 'operator.arm')}
        </button>
        <WhenField state={state} />
        <p class="console-target">
          <span class="muted small">{t('operator.target')}</span> {state.target.value ?? '–'}
        </p>
      </div>
      <ul class="cues">
        {state.cues.value.map((cue) => {
          const due = state.pressed.value.find((one) => one.cue === cue.id && one.due > now)?.due;
          const left = due === undefined ? undefined : due - now;
          return (
            <li key={cue.id}>
              <button
                type="button"
                class={`button cue cue-${cue.form}`}
                disabled={cue.form === 'plain' && (!armed || state.target.value === undefined)}
                onClick={() => press(cue)}
              >
                <span>{cueLabel(cue)}</span>
                {left === undefined ? (
                  cue.key !== undefined && <kbd>{cue.key}</kbd>
                ) : (
                  <span class="num cue-left">{clock(left)}</span>
                )}
              </button>
              {editing.value && (
                <button
                  type="button"
                  class="button button-icon cue-remove"
                  aria-label={t('operator.remove', { name: cueLabel(cue) })}
                  onClick={() => void state.setCues(state.cues.value.filter(({ id }) => id !== cue.id))}
                >
                  <Icon name="close" small />
                </button>
              )}
            </li>
          );
        })}
        <li>
          <button
            type="button"
            class="button cue cue-custom"
            onClick={() => {
              open.value = 'custom';
            }}
          >
            {t('operator.custom')}
          </button>
        </li>
        <li>
          <button
            type="button"
            class="button button-plain cue-edit"
            aria-pressed={editing.value}
            onClick={() => {
              editing.value = !editing.value;
            }}
          >
            {t('operator.edit')}
          </button>
        </li>
      </ul>
      {open.value !== undefined && (
        <CueForm
          key={open.value === 'custom' ? 'custom' : open.value.id}
          cue={open.value === 'custom' ? undefined : open.value}
          state={state}
          onClose={() => {
            open.value = undefined;
          }}
        />
      )}
      <div role="alert">
        {state.fault.value !== undefined && (
          <p class="notice">
            <Icon name="alert" />
            {t('operator.refused', { why: state.fault.value })}
          </p>
        )}
      </div>
      {!armed && <p class="muted small">{t('operator.arm.text')}</p>}
    </section>
  );
}
