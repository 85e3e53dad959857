import type { JSX } from 'preact';
import { Icon } from '../parts/icon.tsx';
import { Choices, Menu } from '../parts/menu.tsx';
import { choiceReason } from '../player/choice-reason.ts';
import { LATENCIES, type PlayerView, PREFERENCES } from '../player/player-view.ts';
import { delay, transportName } from '../words/format.ts';
import { t } from '../words/words.ts';

/** Shows how far behind the player is and lets a person choose. */
export function LatencyChip({ view }: { readonly view: PlayerView }): JSX.Element {
  const chosen = view.latency.value;
  const now = view.status.value?.kind === 'playing' ? view.figures.value?.latency : undefined;
  return (
    <Menu
      icon="clock"
      label={t('latency')}
      value={now === undefined ? t(`latency.${chosen}`) : delay(now * 1000)}
      title={t('latency.title')}
    >
      <Choices
        name="latency"
        legend={t('latency.title')}
        chosen={chosen}
        choices={LATENCIES.map((value) => ({
          value,
          title: t(`latency.${value}`),
          text: t(`latency.${value}.text`),
        }))}
        onChoose={(value) => {
          view.latency.value = value;
        }}
      />
    </Menu>
  );
}

/** Shows how the media comes and why, and lets a person choose. */
export function TransportChip({ view }: { readonly view: PlayerView }): JSX.Element {
  const preference = view.transport.value;
  const choice = view.choice.value;
  return (
    <Menu
      icon="route"
      label={t('transport')}
      value={choice === undefined ? t('transport.auto') : transportName(choice.transport)}
      title={t('transport.title')}
    >
      {choice !== undefined && (
        <p class="sheet-note">
          <Icon name={choice.why === 'fallback' ? 'alert' : 'route'} small />
          {choiceReason(choice)}
        </p>
      )}
      <Choices
        name="transport"
        legend={t('transport.title')}
        chosen={preference}
        choices={PREFERENCES.map((value) => ({
          value,
          title: value === 'auto' ? t('transport.auto') : transportName(value),
          text: t(`transport.${value}.text`),
        }))}
        onChoose={(value) => {
          view.transport.value = value;
        }}
      />
    </Menu>
  );
}
