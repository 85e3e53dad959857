import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../words/words.ts';
import type { LineState } from './reporters.ts';

/** How a phone becomes a reporter: it opens this address, typed or photographed. */
export function Pairing({
  address,
  state,
  count,
}: {
  readonly address: string;
  readonly state: LineState;
  /** Reporters whose picture is here. */
  readonly count: number;
}): JSX.Element {
  return (
    <section class="panel studio-pairing">
      <h2>{t('recorder.pair')}</h2>
      <p class="muted small">{t('recorder.pair.how')}</p>
      <QrCode text={address} />
      <CopyField label={t('recorder.pair.link')} text={address} />
      <p role="status" class={state === 'open' ? 'studio-word' : 'studio-word studio-word-amber'}>
        <Icon name={state === 'open' ? 'check' : state === 'failed' ? 'alert' : 'hourglass'} />
        {state === 'open'
          ? count === 0
            ? t('recorder.waiting')
            : t('recorder.reporters', { count })
          : t(state === 'failed' ? 'recorder.failed' : 'recorder.connecting')}
      </p>
    </section>
  );
}

/** An address for cameras (ISO/IEC 18004). Dark on light in any theme: not every camera reads the other way. */
function QrCode({ text }: { readonly text: string }): JSX.Element {
  const drawing = useSignal<{ readonly size: number; readonly path: string } | undefined>(undefined);
  useEffect(() => {
    void Promise.all([import('lean-qr'), import('lean-qr/extras/svg')]).then(
      ([{ generate }, { toSvgPath }]) => {
        const code = generate(text);
        drawing.value = { size: code.size, path: toSvgPath(code) };
      },
    );
  }, [text]);
  const size = drawing.value?.size ?? 33;
  return (
    <svg
      class="studio-qr"
      viewBox={`-4 -4 ${size + 8} ${size + 8}`}
      role="img"
      aria-label={t('recorder.pair.code')}
      shape-rendering="crispEdges"
    >
      <rect x="-4" y="-4" width={size + 8} height={size + 8} fill="#fff" />
      {drawing.value !== undefined && <path d={drawing.value.path} fill="#000" />}
    </svg>
  );
}
