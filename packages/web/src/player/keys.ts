import type { PlayerView } from './player-view.ts';

/** Elements to which keys belong. */
const OWN_KEYS = 'a, button, input, select, textarea, summary, [popover]:popover-open, onair-player';

/** Keys that scroll the page; the player has them only while it has the focus. */
const SCROLL_KEYS: readonly string[] = ['ArrowUp', 'ArrowDown', 'Home', 'End'];

/** Give the player the keys that are pressed on the page outside of everything that has its own. Ends with the result. */
export function passKeysOn(view: PlayerView): () => void {
  const pass = (event: KeyboardEvent): void => {
    const at = event.target;
    if (event.defaultPrevented || SCROLL_KEYS.includes(event.key)) return;
    if (at instanceof Element && at.closest(OWN_KEYS) !== null) return;
    if (view.element.peek()?.handleKey(event) === true) event.preventDefault();
  };
  document.addEventListener('keydown', pass);
  return () => document.removeEventListener('keydown', pass);
}
