import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Choices, Menu } from '../parts/menu.tsx';
import { LATENCIES, type Latency, TRANSPORTS, type Transport } from '../player/player-box.tsx';
import { transportName } from '../words/format.ts';
import { t } from '../words/words.ts';

/** Shows how far behind the player is and lets a person choose. */
export function LatencyChip({ chosen }: { readonly chosen: Signal<Latency> }): JSX.Element {
  return (
    <Menu icon="clock" label={t('latency')} value={t(`latency.${chosen.value}`)} title={t('latency.title')}>
      <Choices
        name="latency"
        legend={t('latency.title')}
        chosen={chosen.value}
        choices={LATENCIES.map((value) => ({
          value,
          title: t(`latency.${value}`),
          text: t(`latency.${value}.text`),
        }))}
        onChoose={(value) => {
          chosen.value = value;
        }}
      />
    </Menu>
  );
}

/** Shows how the media comes and lets a person choose. */
export function TransportChip({ chosen }: { readonly chosen: Signal<Transport> }): JSX.Element {
  const name = (value: Transport): string => (value === 'auto' ? t('transport.auto') : transportName(value));
  return (
    <Menu icon="route" label={t('transport')} value={name(chosen.value)} title={t('transport.title')}>
      <Choices
        name="transport"
        legend={t('transport.title')}
        chosen={chosen.value}
        choices={TRANSPORTS.map((value) => ({
          value,
          title: name(value),
          text: t(`transport.${value}.text`),
        }))}
        onChoose={(value) => {
          chosen.value = value;
        }}
      />
    </Menu>
  );
}
