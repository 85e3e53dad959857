import type { UploadStatus } from '@onair/client/publish';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { bytes, clock } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { Take } from './take.ts';

/** Octets waiting from which on the connection is called slow: some seconds of picture. */
const BEHIND_BYTES = 2_000_000;

/** How the upload is, in a sentence. */
export function healthText(status: UploadStatus): string {
  switch (status.state) {
    case 'connecting':
      return t('studio.health.connecting');
    case 'sending':
      return t(status.queued > BEHIND_BYTES ? 'studio.health.behind' : 'studio.health.good');
    case 'waiting':
      return t('studio.health.waiting');
    case 'ending':
      return t('studio.health.ending');
    case 'done':
      return t('studio.health.done');
    case 'failed':
      return t('studio.health.failed', {
        why: status.failure?.detail || (status.failure?.code ?? ''),
      });
  }
}

/** What goes on with a recording: the time, what waits, what is stored. */
export function Health({ take, now }: { readonly take: Take; readonly now: number }): JSX.Element {
  const status = take.status.value;
  const ok = status.state === 'sending' || status.state === 'done' || status.state === 'ending';
  return (
    <section class="panel studio-health">
      <p role="status" class={ok ? 'studio-word' : 'studio-word studio-word-amber'}>
        <Icon name={ok ? 'check' : status.state === 'failed' ? 'alert' : 'hourglass'} />
        {healthText(status)}
      </p>
      <dl class="studio-figures num">
        {take.recording.value && (
          <div>
            <dt>{t('studio.elapsed')}</dt>
            <dd class="studio-clock">{clock(now - take.startedMs)}</dd>
          </div>
        )}
        <div>
          <dt>{t('studio.queue')}</dt>
          <dd>{bytes(status.queued)}</dd>
        </div>
        <div>
          <dt>{t('studio.stored')}</dt>
          <dd>{bytes(status.stored)}</dd>
        </div>
      </dl>
    </section>
  );
}

/** Where to see it, while it is recorded and afterwards. */
export function Result({ take }: { readonly take: Take }): JSX.Element {
  const { state, result } = take.status.value;
  const { origin } = location;
  if (state !== 'done' || result === undefined || result.playlist === '') {
    return (
      <section class="panel studio-result">
        <CopyField label={t('studio.address')} text={`${origin}/watch/${take.stream}`} />
        <a class="button" href={`/watch/${take.stream}`} target="_blank" rel="noreferrer">
          <Icon name="external" small />
          {t('studio.watch')}
        </a>
      </section>
    );
  }
  return (
    <section class="panel studio-result">
      <h2>{t('studio.result')}</h2>
      <p class="muted num">{t('studio.result.length', { time: clock(result.seconds * 1000) })}</p>
      <CopyField label={t('studio.address')} text={`${origin}${result.playlist}`} />
      <div class="studio-row">
        <a class="button button-main" href={`/viewer?url=${encodeURIComponent(result.playlist)}`}>
          <Icon name="play" small />
          {t('studio.play')}
        </a>
        <a class="button" href={result.file} download>
          {t('studio.download')}
        </a>
        {result.file.endsWith('.m4a') && <Podcast file={result.file.replace(/m4a$/, 'mp3')} />}
      </div>
    </section>
  );
}

/** The recording as MP3, where the server can make one. */
function Podcast({ file }: { readonly file: string }): JSX.Element | null {
  const there = useSignal<boolean | undefined>(undefined);
  useEffect(() => {
    void fetch(file, { method: 'HEAD' }).then(
      ({ ok }) => {
        there.value = ok;
      },
      () => undefined,
    );
  }, [file]);
  if (there.value === undefined) return null;
  if (!there.value) return <p class="muted small">{t('studio.mp3.none')}</p>;
  return (
    <a class="button" href={file} download>
      {t('studio.mp3')}
    </a>
  );
}
