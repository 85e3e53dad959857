import type { JSX } from 'preact';

/** Drawings on a 24-unit grid, stroked in the text's colour. */
const PATHS = {
  live: 'M12 12h.01M8.5 8.5a5 5 0 0 0 0 7M15.5 8.5a5 5 0 0 1 0 7M5.6 5.6a9 9 0 0 0 0 12.8M18.4 5.6a9 9 0 0 1 0 12.8',
  gauge: 'M4 19a9 9 0 1 1 16 0M12 14l4-5M12 14h.01',
  compare: 'M4 5h7v6H4zM13 5h7v6h-7zM4 14h7v5H4zM13 14h7v5h-7z',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  share: 'M12 15V3.5M8 7l4-3.5L16 7M6 11H5v9.5h14V11h-1',
  bolt: 'M13 3 5 13.5h6L10 21l8.5-11H12.500Z',
  route:
    'M6 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM18 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 17h5a3 3 0 0 0 3-3v-1a3 3 0 0 0-3-3h-2a3 3 0 0 1-3-3',
  chevron: 'M7 10l5 5 5-5',
  alert: 'M12 4 2.800 19.500h18.400ZM12 10v4.500M12 17.200h.01',
  hourglass: 'M7 3h10M7 21h10M8 3c0 5 3 6 4 9 1-3 4-4 4-9M8 21c0-5 3-6 4-9 1 3 4 4 4 9',
  offline:
    'M4 4l16 16M8.500 8.500a5 5 0 0 0 0 7M5.600 5.800a9 9 0 0 0 0 12.600M15.500 8.500a5 5 0 0 1 1.200 5M18.400 5.600a9 9 0 0 1 2.100 9.500',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z',
  screen: 'M3 5h18v11H3zM9 20h6M12 16v4',
  language:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9s.5-6 3.500-9Z',
  close: 'M6 6l12 12M18 6 6 18',
  key: 'M14.500 13.500a5 5 0 1 0-4-4L3 17v4h4v-3h3v-3ZM16 8h.01',
  camera: 'M3 7h12v10H3zM15 11l6-3.500v9L15 13',
  terminal: 'M3 5h18v14H3zM7 9.500l3 2.500-3 2.500M12.500 15H17',
  play: 'M8 5l11 7-11 7Z',
  external: 'M13 5h6v6M19 5l-9 9M16 14v5H5V8h5',
  lens: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l5 5',
  stop: 'M7 7h10v10H7z',
} as const;

/** Name of a drawing. */
export type IconName = keyof typeof PATHS;

/** A drawing beside a word; never alone, so screen readers pass it over. */
export function Icon({
  name,
  small = false,
}: {
  readonly name: IconName;
  readonly small?: boolean;
}): JSX.Element {
  return (
    <svg class={small ? 'icon icon-small' : 'icon'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
