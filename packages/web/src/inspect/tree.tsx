import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { bytes } from '../words/format.ts';
import { t } from '../words/words.ts';
import type { Inspection } from './inspection.ts';

/** Height of a line, pixels; the style sheet says the same. */
const ROW = 44;
/** Lines beyond the edges that are there before they are seen. */
const SPARE = 12;

/** The tree, of which only the lines in sight are elements. */
export function Tree({ inspection }: { readonly inspection: Inspection }): JSX.Element {
  const { tree } = inspection;
  const top = useSignal(0);
  const height = useSignal(600);
  const box = useRef<HTMLDivElement>(null);
  const rows = tree.rows.value;
  const selected = tree.selected.value;
  const place = rows.findIndex(({ index }) => index === selected);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    height.value = element.clientHeight;
    if (place < 0) return;
    if (place * ROW < element.scrollTop) element.scrollTop = place * ROW;
    const low = (place + 1) * ROW - element.clientHeight;
    if (low > element.scrollTop) element.scrollTop = low;
  }, [place]);
  const first = Math.max(0, Math.floor(top.value / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top.value + height.value) / ROW) + SPARE);
  const press = (event: KeyboardEvent): void => {
    const row = rows[place];
    if (row?.parent === true && (event.key === 'Enter' || event.key === ' ')) tree.toggle(row.index);
    else if (row?.parent === true && event.key === 'ArrowRight' && !row.open) tree.toggle(row.index, true);
    else if (row?.parent === true && event.key === 'ArrowLeft' && row.open) tree.toggle(row.index, false);
    else {
      const next = tree.neighbour(event.key);
      if (next === undefined) return;
      void inspection.select(next);
    }
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      class="tree panel"
      role="tree"
      aria-label={t('inspect.tree')}
      tabIndex={0}
      aria-activedescendant={place < 0 ? undefined : `node-${selected}`}
      onKeyDown={press}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
        height.value = event.currentTarget.clientHeight;
      }}
    >
      <div class="tree-all" role="presentation" style={{ height: `${rows.length * ROW}px` }}>
        {rows.slice(first, last).map(({ index, node, parent, open }, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it takes the keys
          <div
            key={index}
            tabIndex={-1}
            id={`node-${index}`}
            class={index === selected ? 'tree-row tree-selected' : 'tree-row'}
            role="treeitem"
            aria-level={node.depth + 1}
            aria-expanded={parent ? open : undefined}
            aria-selected={index === selected}
            style={{ top: `${(first + at) * ROW}px`, paddingInlineStart: `${8 + node.depth * 16}px` }}
            onClick={() => {
              if (parent && index === selected) tree.toggle(index);
              void inspection.select(index);
            }}
          >
            <span class="tree-fold" aria-hidden="true">
              {parent ? (open ? '▾' : '▸') : ''}
            </span>
            <span class="tree-name mono">{node.name}</span>
            <span class="tree-detail muted">{node.detail}</span>
            <span class="tree-size num muted">{node.size === undefined ? '–' : bytes(node.size)}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
