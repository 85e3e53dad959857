import { Asides, connectRoom, type RoomLink, ServerCast, Talker, type TalkerState } from '@onair/client/room';
import type { RoomStage } from '@onair/contracts/rooms';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Frame } from '../frame/frame.tsx';
import { CopyField } from '../parts/copy-field.tsx';
import { Icon } from '../parts/icon.tsx';
import { Tally } from '../parts/tally.tsx';
import { t, type WordKey } from '../words/words.ts';
import { watchAddress } from './address.ts';
import { createBeside } from './beside.ts';
import { BesidePanel, FloatingSigns } from './beside-panel.tsx';
import { type CaptureSource, capture, captureFault, withSound } from './capture.ts';
import { Notices, PasswordForm, refusalWord, Stage } from './notices.tsx';
import { StageControls } from './stage-controls.tsx';
import './room.css';

interface Session {
  readonly link: RoomLink;
  readonly talker: Talker;
}

/** The page of the one who casts. */
export function Talk({ room }: { readonly room: string }): JSX.Element {
  const session = useRef<Session | undefined>(undefined);
  const password = useSignal<string | undefined>(undefined);
  const stream = useSignal<MediaStream | undefined>(undefined);
  const source = useSignal<CaptureSource>('camera');
  const state = useSignal<TalkerState>({ watching: 0, handedOn: 0, spilled: 0, turnedAway: 0 });
  const entered = useSignal(false);
  const max = useSignal(0);
  const told = useSignal(false);
  const stage = useSignal<RoomStage>({ stream: false, record: false });
  const place = useSignal<string | undefined>(undefined);
  const beside = useMemo(createBeside, []);
  const refusal = useSignal<WordKey | undefined>(undefined);
  const fault = useSignal<WordKey | undefined>(undefined);

  useEffect(() => {
    const link = connectRoom(
      location.origin,
      { room, password: password.value },
      {
        entered: (welcome) => {
          entered.value = true;
          refusal.value = undefined;
          max.value = welcome.maxDirect;
          stage.value = welcome.stage;
          place.value = welcome.stream;
          asides.entered(welcome);
          talker.entered(welcome);
        },
        message: (message) => {
          asides.hear(message);
          void talker.hear(message);
        },
        left: (id) => {
          asides.left(id);
          talker.left(id);
        },
        staged: (next) => {
          stage.value = next;
          talker.staged(next);
        },
        refused: (reason) => {
          refusal.value = refusalWord(reason) ?? refusal.value;
          if (reason.code === 'ROOM_HAS_TALKER') told.value = false;
        },
        lost: () => {
          entered.value = false;
        },
      },
    );
    const asides = new Asides({
      link,
      talks: true,
      hasOthers: () => talker.hasOthers,
      said: beside.said,
      reacted: beside.reacted,
      files: beside.filesChanged,
    });
    beside.asides.value = asides;
    const talker = new Talker({
      link,
      cast: new ServerCast(),
      linked: (id, peer) => asides.attach(id, peer),
      unlinked: (id, peer) => asides.detach(id, peer),
      changed: (next) => {
        state.value = next;
      },
    });
    session.current = { link, talker };
    return () => {
      if (talker.stream !== undefined) talker.stop();
      asides.close();
      beside.asides.value = undefined;
      link.close();
    };
  }, [password.value]);

  const start = async (from: CaptureSource): Promise<void> => {
    fault.value = undefined;
    try {
      const next = withSound(await capture(from), session.current?.talker.stream);
      source.value = from;
      stream.value = next;
      // The browser's own bar ends a screen; a camera may be pulled out.
      next.getVideoTracks()[0]?.addEventListener('ended', () => {
        if (stream.value === next) stop();
      });
      await session.current?.talker.show(next);
      if (entered.value) told.value = true;
    } catch (error) {
      fault.value = captureFault(error);
    }
  };
  const stop = (): void => {
    session.current?.talker.stop();
    stream.value = undefined;
    told.value = false;
  };
  const onAir = (): void => {
    if (stream.value === undefined) fault.value = 'room.warn.stream';
    else if (session.current?.link.connected !== true) fault.value = 'room.warn.socket';
    else {
      fault.value = undefined;
      refusal.value = undefined;
      session.current.talker.tellReady();
      told.value = true;
    }
  };
  const live = told.value && stream.value !== undefined && entered.value;
  return (
    <Frame place="elsewhere" title={t('room.talk.title', { room })}>
      <section class="room">
        <Stage
          id="local-video"
          stream={stream.value}
          muted
          mirrored={source.value === 'camera'}
          over={<FloatingSigns beside={beside} />}
        >
          <p>{t('room.talk.empty')}</p>
        </Stage>
        <div class="room-bar">
          <button type="button" class="button" id="start-video" onClick={() => void start('camera')}>
            <Icon name="camera" />
            {t('room.startVideo')}
          </button>
          <button type="button" class="button" id="start-screen" onClick={() => void start('screen')}>
            <Icon name="screen" />
            {t('room.startScreen')}
          </button>
          <button
            type="button"
            class="button"
            id="stop-video"
            disabled={stream.value === undefined}
            onClick={stop}
          >
            <Icon name="stop" />
            {t('room.stopVideo')}
          </button>
          <button type="button" class="button button-main" id="on-air" aria-pressed={live} onClick={onAir}>
            <Icon name="live" />
            {t('room.onAir')}
          </button>
        </div>
        <Notices words={[fault.value, refusal.value]} />
        {refusal.value === 'room.refused.password' && (
          <PasswordForm
            enter={(word) => {
              password.value = word;
            }}
          />
        )}
        <h1>{t('room.talk.title', { room })}</h1>
        <p class="room-facts">
          <Tally stream={{ state: live ? 'live' : 'idle' }} />
          <span class="num" id="watching">
            {t('room.watching', { count: state.value.watching, max: max.value })}
          </span>
          {state.value.handedOn > 0 && (
            <span class="num">{t('room.handedOn', { count: state.value.handedOn })}</span>
          )}
          {state.value.spilled > 0 && (
            <span class="num" id="spilled">
              {t('room.spilled', { count: state.value.spilled })}
            </span>
          )}
          {state.value.turnedAway > 0 && (
            <span class="room-away num">{t('room.turnedAway', { count: state.value.turnedAway })}</span>
          )}
        </p>
        <CopyField label={t('room.link')} text={watchAddress(location.origin, room)} />
        {place.value !== undefined && (
          <StageControls
            stage={stage.value}
            place={place.value}
            live={live}
            change={(next) => session.current?.link.stage(next)}
          />
        )}
        <BesidePanel beside={beside} />
      </section>
    </Frame>
  );
}
