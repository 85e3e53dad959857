import type { RoomStage } from '@onair/contracts/rooms';
import type { JSX } from 'preact';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../words/words.ts';

/** What the server is to do with the talk: show it as a stream, record it. */
export function StageControls({
  stage,
  place,
  live,
  change,
}: {
  readonly stage: RoomStage;
  /** `/APP/NAME` of the stream. */
  readonly place: string;
  /** True while the talk is on air. */
  readonly live: boolean;
  readonly change: (stage: RoomStage) => void;
}): JSX.Element {
  return (
    <>
      <div class="room-bar">
        <button
          type="button"
          class="button"
          id="publish"
          aria-pressed={stage.stream}
          disabled={!live || stage.record}
          onClick={() => change({ ...stage, stream: !stage.stream })}
        >
          <Icon name="share" />
          {t('room.publish')}
        </button>
        <button
          type="button"
          class="button"
          id="record"
          aria-pressed={stage.record}
          disabled={!live}
          onClick={() => change({ ...stage, record: !stage.record })}
        >
          <Icon name="live" />
          {t('room.record')}
        </button>
      </div>
      {stage.stream && <CopyField label={t('room.stream')} text={`${location.origin}/watch${place}`} />}
    </>
  );
}
