import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import { t } from '../words/words.ts';
import './copy-field.css';
import { Icon } from './icon.tsx';

/** How long the button says that it copied, milliseconds. */
const SAID = 2000;

/** Put text onto the clipboard, also where the page was loaded without TLS. Tells whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // no clipboard interface outside secure contexts
  }
}

function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'out-of-sight';
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

/** A button that copies `text` and says so. */
export function CopyButton({ text, of }: { readonly text: string; readonly of: string }): JSX.Element {
  const done = useSignal<boolean | undefined>(undefined);
  useEffect(() => {
    if (done.value === undefined) return;
    const timer = setTimeout(() => {
      done.value = undefined;
    }, SAID);
    return () => clearTimeout(timer);
  }, [done.value, done]);
  const copy = async (): Promise<void> => {
    done.value = await copyText(text);
  };
  return (
    <button type="button" class="button copy-button" onClick={copy} aria-label={t('copy.of', { what: of })}>
      <Icon name={done.value === true ? 'check' : 'copy'} small />
      <span aria-live="polite">
        {done.value === undefined ? t('copy') : done.value ? t('copy.done') : t('copy.failed')}
      </span>
    </button>
  );
}

/** Text to take elsewhere, with its name and a copy button. */
export function CopyField({
  label,
  text,
  wrap = false,
}: {
  readonly label: string;
  readonly text: string;
  /** Show the whole text on as many lines as it needs. */
  readonly wrap?: boolean;
}): JSX.Element {
  const id = useId();
  return (
    <div class="copy-field">
      <label class="copy-label" for={id}>
        {label}
      </label>
      {wrap ? (
        <textarea
          id={id}
          class="copy-text copy-wrap"
          readOnly
          spellcheck={false}
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
      ) : (
        <input
          id={id}
          class="copy-text"
          readOnly
          spellcheck={false}
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
      <CopyButton text={text} of={label} />
    </div>
  );
}
