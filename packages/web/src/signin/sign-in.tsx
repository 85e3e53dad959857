import { useSignal } from '@preact/signals';
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiFault } from '../api/api-client.ts';
import { api } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';
import './sign-in.css';

function reasonOf(error: unknown): WordKey {
  if (!(error instanceof ApiFault)) return 'signin.unreachable';
  switch (error.code) {
    case 'TOO_MANY_ATTEMPTS':
      return 'signin.tooMany';
    case 'ADMIN_LOCAL_ONLY':
      return 'signin.localOnly';
    default:
      return error.status >= 500 ? 'signin.unreachable' : 'signin.wrong';
  }
}

/** Exchanges the operator's token for a session. */
export function SignIn({
  token,
  next,
}: {
  /** From the printed address; tried at once. */
  readonly token: string | undefined;
  /** Where to go once signed in. */
  readonly next: string;
}): JSX.Element {
  const busy = useSignal(token !== undefined);
  const fault = useSignal<WordKey | undefined>(undefined);
  const typed = useSignal('');

  const enter = async (secret: string): Promise<void> => {
    busy.value = true;
    fault.value = undefined;
    try {
      await api.signIn(secret);
      location.replace(next);
    } catch (error) {
      busy.value = false;
      fault.value = reasonOf(error);
    }
  };
  useEffect(() => {
    if (token !== undefined) void enter(token);
  }, []);

  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const secret = typed.value.trim();
    if (secret !== '') void enter(secret);
  };
  return (
    <Frame place="dashboard" title={t('signin.title')}>
      <form class="panel sign-in" onSubmit={submit}>
        <h1>{t('signin.title')}</h1>
        <p class="muted">{t('signin.text')}</p>
        <label class="sign-in-field">
          {t('signin.token')}
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
            }}
            aria-invalid={fault.value !== undefined}
            aria-describedby="sign-in-fault"
          />
        </label>
        <div id="sign-in-fault" role="alert">
          {fault.value !== undefined && (
            <p class="notice">
              <Icon name="alert" />
              {t(fault.value)}
            </p>
          )}
        </div>
        <button type="submit" class="button button-main" disabled={busy.value}>
          <Icon name="key" />
          {busy.value ? t('signin.busy') : t('signin.enter')}
        </button>
      </form>
    </Frame>
  );
}
