import type { StreamInfo } from '@onair/contracts/api';
import type { JSX } from 'preact';
import { serverNow } from '../api/live.ts';
import { clock } from '../words/format.ts';
import { t } from '../words/words.ts';
import { Icon } from './icon.tsx';
import './tally.css';

/** The lamp of a studio: says in colour, form and word whether a stream is on air. */
export function Tally({
  stream,
}: {
  readonly stream: Pick<StreamInfo, 'state' | 'reconnectDeadline'> | undefined;
}): JSX.Element {
  switch (stream?.state) {
    case 'live':
      return (
        <span class="tally tally-live">
          <span class="tally-lamp" />
          {t('state.live')}
        </span>
      );
    case 'waiting': {
      const left =
        stream.reconnectDeadline === undefined ? undefined : stream.reconnectDeadline - serverNow.value;
      return (
        <span class="tally tally-waiting">
          <Icon name="hourglass" small />
          <span class="num">
            {left === undefined ? t('state.waiting') : t('state.waiting.left', { left: clock(left) })}
          </span>
        </span>
      );
    }
    case 'ended':
      return (
        <span class="tally">
          <Icon name="stop" small />
          {t('state.ended')}
        </span>
      );
    default:
      return (
        <span class="tally">
          <span class="tally-ring" />
          {t('state.idle')}
        </span>
      );
  }
}
