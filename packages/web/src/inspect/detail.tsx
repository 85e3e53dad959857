import type { JSX } from 'preact';
import { number } from '../words/format.ts';
import { LANGUAGES, language, t } from '../words/words.ts';
import type { Inspection } from './inspection.ts';
import meanings from './meanings.json' with { type: 'json' };

/** Bytes in a line. */
const LINE = 16;

/** What a box, element, tag or packet of this name is, in the language of the page; English if only that is known. */
function meaningOf(name: string): string | undefined {
  const key = name.startsWith('PID ') ? 'PID' : name;
  const texts = (meanings as Readonly<Record<string, readonly string[]>>)[key];
  return texts?.[LANGUAGES.indexOf(language.value)] ?? texts?.[0];
}

/** Bytes as people read them: offset, hexadecimal, characters. */
export function hexLines(bytes: Uint8Array, offset: number): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE) {
    const part = Array.from(bytes.subarray(at, at + LINE));
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${(offset + at).toString(16).padStart(8, '0')}  ${hex.padEnd(LINE * 3)} ${text}`);
  }
  return lines.join('\n');
}

/** The selected node: what it means, what it says, its bytes. */
export function Detail({ inspection }: { readonly inspection: Inspection }): JSX.Element {
  const node = inspection.tree.selectedNode;
  if (node === undefined) {
    return (
      <section class="panel detail" aria-label={t('inspect.detail')}>
        <p class="muted small">{t('inspect.choose')}</p>
      </section>
    );
  }
  const fields = node.detail.split(' ').filter((field) => field !== '');
  const all = inspection.bytes.value;
  return (
    <section class="panel detail" aria-label={t('inspect.detail')}>
      <h3 class="mono">{node.name}</h3>
      <p>{meaningOf(node.name) ?? t('inspect.unknown')}</p>
      <dl class="detail-facts small">
        <dt>{t('inspect.offset')}</dt>
        <dd class="num">{number(node.offset)}</dd>
        <dt>{t('inspect.size')}</dt>
        <dd class="num">{node.size === undefined ? t('inspect.size.unknown') : number(node.size)}</dd>
        {fields.map((field) => {
          const [name = '', ...value] = field.split('=');
          return value.length === 0 ? (
            <dd key={field} class="detail-word mono">
              {field}
            </dd>
          ) : (
            <>
              <dt key={`${field}-name`}>{name}</dt>
              <dd key={field} class="mono">
                {value.join('=')}
              </dd>
            </>
          );
        })}
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <section class="detail-bytes" tabIndex={0} aria-label={t('inspect.bytes')}>
        <pre class="mono">{hexLines(all, node.offset)}</pre>
      </section>
      {(node.size ?? 0) > all.length && all.length > 0 && (
        <p class="muted small">{t('inspect.bytes.first', { count: number(all.length) })}</p>
      )}
    </section>
  );
}
