import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { number, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import { Detail } from './detail.tsx';
import './inspect.css';
import type { Inspection } from './inspection.ts';
import { Summary } from './summary.tsx';
import { Tree } from './tree.tsx';

/** Where files are chosen or dropped; while one is dragged the whole page takes it. */
function Door({
  inspection,
  over,
}: {
  readonly inspection: Inspection;
  readonly over: boolean;
}): JSX.Element {
  const state = inspection.state.value;
  const take = (files: FileList | null): void => {
    const file = files?.[0];
    if (file !== undefined) void inspection.open(file);
  };
  const small = state.step !== 'empty';
  return (
    <label class={`door${small ? ' door-small' : ''}${over ? ' door-over' : ''}`}>
      <Icon name="lens" />
      <span class="door-title">{t('inspect.drop')}</span>
      {!small && <span class="muted small">{t('inspect.promise')}</span>}
      <input type="file" class="out-of-sight" onChange={(event) => take(event.currentTarget.files)} />
    </label>
  );
}

function Body({ inspection }: { readonly inspection: Inspection }): JSX.Element | null {
  const state = inspection.state.value;
  switch (state.step) {
    case 'empty':
      return null;
    case 'reading':
      return (
        <p role="status" class="num">
          {t('inspect.reading', { name: state.name, share: percent(state.share) })}
        </p>
      );
    case 'failed':
      return (
        <p role="alert" class="notice">
          <Icon name="alert" />
          {t('inspect.failed', { name: state.name, why: state.why })}
        </p>
      );
    case 'done': {
      const { report, name } = state;
      const { length } = inspection.tree;
      return (
        <>
          <Summary name={name} report={report} inspection={inspection} />
          <div class="inside">
            <div class="inside-tree">
              <Tree inspection={inspection} />
              {report.nodeCount > length && (
                <p class="muted small">
                  {t('inspect.tree.cut', { count: number(length), all: number(report.nodeCount) })}
                </p>
              )}
            </div>
            <Detail inspection={inspection} />
          </div>
        </>
      );
    }
  }
}

/** The inspector: a file is dropped, and what is inside is shown. Nothing leaves the browser. */
export function Inspector({ inspection }: { readonly inspection: Inspection }): JSX.Element {
  const over = useSignal(false);
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      event.preventDefault();
      over.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) over.value = false;
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      over.value = false;
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) void inspection.open(file);
    };
    addEventListener('dragover', drag);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', drag);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [inspection, over]);
  return (
    <Frame place="inspect" title={t('nav.inspect')}>
      <div class="inspect">
        <h1>{t('nav.inspect')}</h1>
        <Door inspection={inspection} over={over.value} />
        <Body inspection={inspection} />
      </div>
    </Frame>
  );
}
