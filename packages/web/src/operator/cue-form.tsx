import type { Cue } from '@onair/contracts/api';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../words/words.ts';
import type { ConsoleState } from './console-state.ts';
import { cueLabel } from './cue-panel.tsx';

/** The data of an event made of what stands in the form; undefined if that says nothing. @throws SyntaxError */
export function dataOf(form: Cue['form'], fields: FormData): unknown {
  const text = (name: string): string => String(fields.get(name) ?? '').trim();
  switch (form) {
    case 'message':
      return { text: text('text') };
    case 'poll':
    case 'quiz': {
      const choices = text('choices')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      const correct = Number(text('correct')) - 1;
      return { question: text('question'), choices, ...(form === 'quiz' && correct >= 0 ? { correct } : {}) };
    }
    default:
      return text('data') === '' ? undefined : JSON.parse(text('data'));
  }
}

/** The words of a cue, or a whole event of one's own. */
export function CueForm({
  cue,
  state,
  onClose,
}: {
  /** The button; undefined for an event of one's own. */
  readonly cue: Cue | undefined;
  readonly state: ConsoleState;
  readonly onClose: () => void;
}): JSX.Element {
  const fault = useSignal<string | undefined>(undefined);
  const form = cue?.form ?? 'plain';
  const read = (fields: FormData): Cue | undefined => {
    try {
      const data = dataOf(form, fields);
      fault.value = undefined;
      return {
        id: cue?.id ?? crypto.randomUUID?.() ?? `cue-${Date.now()}`,
        name: cue?.name ?? String(fields.get('name')),
        form,
        duration: Number(fields.get('duration')) || 0,
        ...(data === undefined ? {} : { data }),
      };
    } catch (error) {
      fault.value = t('operator.json', { why: (error as Error).message });
      return undefined;
    }
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const wanted = read(fields);
    if (wanted === undefined) return;
    if ((event.submitter as HTMLButtonElement | null)?.value === 'keep') {
      const label = String(fields.get('label')).trim();
      const key = String(fields.get('key')).trim().toLowerCase();
      const kept = { ...wanted, ...(label === '' ? {} : { label }), ...(key === '' ? {} : { key }) };
      await state.setCues([...state.cues.value, kept]);
      if (state.fault.value === undefined) onClose();
    } else if (await state.fire(wanted, wanted.data)) onClose();
  };
  const asks = form === 'poll' || form === 'quiz';
  return (
    <form
      class="cue-form"
      onSubmit={submit}
      aria-label={cue === undefined ? t('operator.custom') : cueLabel(cue)}
    >
      {form === 'message' && (
        <label class="console-field cue-wide">
          {t('operator.text')}
          <input name="text" required maxLength={300} autocomplete="off" />
        </label>
      )}
      {asks && (
        <>
          <label class="console-field cue-wide">
            {t('operator.question')}
            <input name="question" required maxLength={300} autocomplete="off" />
          </label>
          <label class="console-field cue-wide">
            {t('operator.choices')}
            <textarea name="choices" required rows={3} />
          </label>
          {form === 'quiz' && (
            <label class="console-field">
              {t('operator.correct')}
              <input name="correct" type="number" min="1" max="8" />
            </label>
          )}
        </>
      )}
      {cue === undefined && (
        <>
          <label class="console-field">
            {t('operator.name')}
            <input name="name" required maxLength={64} pattern={'[^"]+'} autocomplete="off" />
          </label>
          <label class="console-field cue-wide">
            {t('operator.data')}
            <textarea name="data" rows={3} class="mono" spellcheck={false} placeholder='{"spot": 7}' />
          </label>
          <label class="console-field">
            {t('operator.label')}
            <input name="label" maxLength={64} autocomplete="off" />
          </label>
          <label class="console-field">
            {t('operator.key')}
            <input name="key" maxLength={1} pattern="[A-Za-z0-9]" autocomplete="off" />
          </label>
        </>
      )}
      <label class="console-field">
        {t('operator.duration')}
        <input name="duration" type="number" min="0" max="86400" step="any" value={cue?.duration ?? 0} />
      </label>
      <div class="cue-acts">
        <button
          type="submit"
          class="button button-main"
          disabled={!state.armed.value || state.target.value === undefined}
        >
          {t('operator.fire')}
        </button>
        {cue === undefined && (
          <button type="submit" class="button" name="act" value="keep">
            {t('operator.keep')}
          </button>
        )}
        <button type="button" class="button" onClick={onClose}>
          {t('overlay.close')}
        </button>
      </div>
      {fault.value !== undefined && (
        <p class="small cue-wide" role="alert">
          {fault.value}
        </p>
      )}
    </form>
  );
}
