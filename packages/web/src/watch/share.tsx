import type { JSX } from 'preact';
import { info } from '../api/live.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { Menu } from '../parts/menu.tsx';
import { publishTarget } from '../parts/publish-ways.ts';
import { t } from '../words/words.ts';
import { elementCode, embedCode, outsideAddresses, type StreamAddress } from './address.ts';

/** Everything to take this stream elsewhere: its link, its code for other pages, its addresses for other programs. */
export function ShareChip({ stream }: { readonly stream: StreamAddress }): JSX.Element {
  const { origin, hostname } = location;
  const link = `${origin}/watch/${stream.full}`;
  const { server } = publishTarget(stream.app, stream.name, hostname, info.value);
  const rtmp = `${server}/${stream.name}`;
  const handOver = (): void => {
    navigator.share({ title: stream.name, url: link }).catch(() => {}); // closed without choosing: nothing to do
  };
  return (
    <Menu icon="share" label={t('share')} value={t('share')} title={t('share.title')}>
      <div class="sheet-body">
        <CopyField label={t('share.link')} text={link} />
        {'share' in navigator && (
          <button type="button" class="button" onClick={handOver}>
            <Icon name="share" small />
            {t('share.system')}
          </button>
        )}
        <CopyField label={t('share.embed')} text={embedCode(stream, origin)} />
        <CopyField label={t('share.element')} text={elementCode(stream, origin)} />
        <details class="share-more">
          <summary>{t('share.outside')}</summary>
          {outsideAddresses(stream, origin, rtmp).map(({ kind, url }) => (
            <CopyField key={kind} label={kind} text={url} />
          ))}
        </details>
      </div>
    </Menu>
  );
}
