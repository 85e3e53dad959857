import { useSignal } from '@preact/signals';
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiFault } from '../api/api-client.ts';
import { api, info } from '../api/live.ts';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { t, type WordKey } from '../words/words.ts';
import './sign-in.css';

function reasonOf(error: unknown, wrong: WordKey): WordKey {
  if (!(error instanceof ApiFault)) return 'signin.unreachable';
  switch (error.code) {
    case 'TOO_MANY_ATTEMPTS':
      return 'signin.tooMany';
    case 'ADMIN_LOCAL_ONLY':
      return 'signin.localOnly';
    default:
      return error.status >= 500 ? 'signin.unreachable' : wrong;
  }
}

/** Name and password of the account for trying out. */
function DemoAccount({
  busy,
  enter,
}: {
  readonly busy: boolean;
  readonly enter: (user: string, password: string) => void;
}): JSX.Element {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    enter(String(fields.get('user')), String(fields.get('password')));
  };
  return (
    <form class="panel sign-in" onSubmit={submit}>
      <p class="muted">{t('signin.demo')}</p>
      <label class="sign-in-field">
        {t('signin.user')}
        <input type="email" name="user" autocomplete="username" required maxLength={256} />
      </label>
      <label class="sign-in-field">
        {t('signin.password')}
        <input
          type="password"
          name="password"
          autocomplete="current-password"
          required
          maxLength={256}
          aria-describedby="sign-in-fault"
        />
      </label>
      <button type="submit" class="button" disabled={busy}>
        <Icon name="key" />
        {t('signin.enter')}
      </button>
    </form>
  );
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

  const attempt = async (signIn: () => Promise<void>, wrong: WordKey): Promise<void> => {
    busy.value = true;
    fault.value = undefined;
    try {
      await signIn();
      location.replace(next);
    } catch (error) {
      busy.value = false;
      fault.value = reasonOf(error, wrong);
    }
  };
  const enter = (secret: string): Promise<void> => attempt(() => api.signIn(secret), 'signin.wrong');
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
      {info.value?.demoAccount === true && (
        <DemoAccount
          busy={busy.value}
          enter={(user, password) => void attempt(() => api.signInAs(user, password), 'signin.wrongAccount')}
        />
      )}
    </Frame>
  );
}
