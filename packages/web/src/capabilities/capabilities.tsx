import type { JSX } from 'preact';
import { Frame } from '../frame/frame.tsx';
import { CopyButton } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { transportName } from '../words/format.ts';
import { t } from '../words/words.ts';
import '../dashboard/table.css';
import './capabilities.css';
import { INTERFACES, KINDS, type KindAnswer, type Survey } from './survey.ts';

const COLUMNS = [
  'file',
  'mse',
  'record',
  'decode',
  'encode',
] as const satisfies readonly (keyof KindAnswer)[];

function Mark({ yes }: { readonly yes: boolean | undefined }): JSX.Element {
  if (yes === undefined) return <span class="muted">…</span>;
  return (
    <span class={yes ? 'can can-yes' : 'can muted'}>
      <Icon name={yes ? 'check' : 'close'} small />
      {yes ? t('can.yes') : t('can.no')}
    </span>
  );
}

function Choice({ survey }: { readonly survey: Survey }): JSX.Element {
  const [first, ...others] = survey.order;
  return (
    <section class="panel can-choice">
      <h2>{t('can.choice')}</h2>
      {first === undefined ? (
        <p>{t('can.choice.none')}</p>
      ) : (
        <>
          <p class="can-first">{transportName(first)}</p>
          <p>{t(`can.why.${first}`)}</p>
          {others.length > 0 && (
            <p class="muted small">
              {t('can.choice.then', { names: others.map((name) => transportName(name)).join(', ') })}
            </p>
          )}
        </>
      )}
    </section>
  );
}

/** What this browser can play and record, and which transport the player therefore takes. */
export function Capabilities({ survey }: { readonly survey: Survey }): JSX.Element {
  const systems = survey.protection.value;
  return (
    <Frame place="elsewhere" title={t('can.title')}>
      <div class="capabilities">
        <h1>{t('can.title')}</h1>
        <Choice survey={survey} />
        <section>
          <h2>{t('can.interfaces')}</h2>
          <ul class="can-interfaces">
            {INTERFACES.map((name) => (
              <li key={name} class="panel">
                <span>{t(`can.interface.${name}`)}</span>
                <Mark yes={survey.interfaces.has(name)} />
                {name === 'eme' && systems !== undefined && systems.length > 0 && (
                  <span class="muted small">{systems.join(', ')}</span>
                )}
              </li>
            ))}
          </ul>
        </section>
        <section>
          <h2>{t('can.codecs')}</h2>
          <div class="panel table-box">
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">{t('can.codec')}</th>
                  {COLUMNS.map((column) => (
                    <th key={column} scope="col">
                      {t(`can.column.${column}`)}
                    </th>
                  ))}
                  <td />
                </tr>
              </thead>
              <tbody>
                {KINDS.map(({ name, type }, index) => (
                  <tr key={type + name}>
                    <th scope="row">
                      {name}
                      <span class="table-more mono">{type}</span>
                    </th>
                    {COLUMNS.map((column) => (
                      <td key={column} data-label={t(`can.column.${column}`)}>
                        <Mark yes={survey.answers.value[index]?.[column]} />
                      </td>
                    ))}
                    <td class="table-act">
                      <CopyButton text={type} of={type} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      </div>
    </Frame>
  );
}
