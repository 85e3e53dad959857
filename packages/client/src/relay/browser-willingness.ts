import type { Willingness } from './ports.ts';

/** What a viewer or a page gives to other viewers. */
export interface RelayWish {
  /** Most bits per second that are sent to others; 0 for no bound. */
  readonly uploadBits: number;
}

/** What of the browser tells whether it should serve others; each is missing somewhere. */
interface Surroundings {
  readonly connection?: { readonly saveData?: boolean; readonly type?: string };
  getBattery?(): Promise<{ readonly charging: boolean }>;
}

/**
 * Whether this browser should serve others now: not on battery, not by mobile data, not with data saver, not in a tab
 * in the background, whose timers are slow.
 */
export function browserWillingness(wish: RelayWish | undefined): () => Willingness {
  const surroundings = navigator as Surroundings;
  let battery: { readonly charging: boolean } | undefined;
  surroundings.getBattery?.().then(
    (found) => {
      battery = found;
    },
    () => {
      // The page's policy forbids it: taken as mains.
    },
  );
  return () => {
    const { connection } = surroundings;
    const costly = connection?.saveData === true || connection?.type === 'cellular';
    const relayable = !document.hidden && !costly && battery?.charging !== false;
    return { relayable, uploadBits: wish?.uploadBits ?? 0 };
  };
}
