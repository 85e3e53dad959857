import type { JSX } from 'preact';
import { bytes } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { ShownMessage } from './files-view.ts';

/** What goes over the WebSocket, the newest message first. */
export function Wire({ messages }: { readonly messages: readonly ShownMessage[] }): JSX.Element {
  return (
    <section class="panel wire" aria-label={t('files.wire')}>
      <h2>{t('files.wire')}</h2>
      <ol class="wire-list mono" tabindex={0} aria-label={t('files.wire')}>
        {messages.map(({ id, at, direction, name, bytes: size, detail }) => (
          <li key={id} class={`wire-${direction}`}>
            <span class="num muted">{(at / 1000).toFixed(2)}</span>
            <span class="wire-way">
              <span aria-hidden="true">{direction === 'out' ? '→' : '←'}</span>
              <span class="out-of-sight">{t(direction === 'out' ? 'files.wire.out' : 'files.wire.in')}</span>
            </span>
            <span>{name}</span>
            <span class="wire-detail">{detail}</span>
            <span class="num muted">{size > 0 ? bytes(size) : ''}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
