import type { AuditRecord } from '@onair/contracts/api';
import type { JSX } from 'preact';
import '../dashboard/table.css';
import { clock } from '../words/format.ts';
import { language, t } from '../words/words.ts';

/** Records shown. */
const MAX_SHOWN = 40;

/** Who did what, and when. */
export function EventLog({ records }: { readonly records: readonly AuditRecord[] }): JSX.Element {
  const time = new Intl.DateTimeFormat(language.value, { dateStyle: 'short', timeStyle: 'medium' });
  return (
    <section class="panel console-list console-log">
      <h2>{t('operator.log')}</h2>
      {records.length === 0 ? (
        <p class="muted small">{t('operator.log.none')}</p>
      ) : (
        <div class="table-box">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t('operator.log.event')}</th>
                <th scope="col">{t('operator.log.when')}</th>
                <th scope="col">{t('column.who')}</th>
                <th scope="col">{t('column.stream')}</th>
              </tr>
            </thead>
            <tbody>
              {records.slice(0, MAX_SHOWN).map((record) => (
                <tr key={`${record.at} ${record.action} ${record.event.id}`}>
                  <th scope="row">
                    {record.event.name}
                    <span class="table-more">
                      {t(`operator.did.${record.action}`)}
                      {record.detail !== undefined && `: ${record.detail}`}
                    </span>
                  </th>
                  <td class="num" data-label={t('operator.log.when')}>
                    {time.format(record.at)}
                    <span class="table-more">{clock(record.event.time / 1000)}</span>
                  </td>
                  <td data-label={t('column.who')}>
                    {record.by}
                    <span class="table-more">{record.address}</span>
                  </td>
                  <td data-label={t('column.stream')}>{record.stream}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
