import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import './menu.css';

/** Distance between the button and what it opens, pixels. */
const GAP = 8;
/** Below this width of the window the menu is a sheet at the lower edge, pixels. */
const SHEET_BELOW = 720;

function place(button: HTMLElement, sheet: HTMLElement): void {
  if (window.innerWidth < SHEET_BELOW) {
    sheet.style.left = '';
    sheet.style.top = '';
    return;
  }
  const at = button.getBoundingClientRect();
  const size = sheet.getBoundingClientRect();
  const left = Math.min(at.left, window.innerWidth - size.width - 16);
  const below = at.bottom + GAP + size.height <= window.innerHeight;
  sheet.style.left = `${Math.max(16, left)}px`;
  sheet.style.top = `${below ? at.bottom + GAP : Math.max(16, at.top - GAP - size.height)}px`;
}

/** A chip that opens a small sheet: under the chip on wide windows, at the lower edge on phones. */
export function Menu({
  icon,
  label,
  value,
  title,
  children,
}: {
  readonly icon: IconName;
  /** What the chip is about; read out before its value. */
  readonly label: string;
  /** What stands on the chip. */
  readonly value: string;
  /** Headline of the sheet. */
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const placed = (event: Pick<ToggleEvent, 'newState'>): void => {
    const open = event.newState === 'open';
    button.current?.setAttribute('aria-expanded', String(open));
    if (open && button.current !== null && sheet.current !== null) place(button.current, sheet.current);
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="button chip"
        popovertarget={id}
        aria-expanded="false"
        aria-label={`${label}: ${value}`}
      >
        <Icon name={icon} small />
        <span class="num">{value}</span>
        <Icon name="chevron" small />
      </button>
      <div
        ref={sheet}
        id={id}
        class="sheet"
        popover="auto"
        role="dialog"
        aria-label={title}
        onToggle={placed}
      >
        <div class="sheet-head">
          <h2>{title}</h2>
        </div>
        {children}
      </div>
    </>
  );
}

/** One thing to choose. */
export interface Choice<T extends string> {
  readonly value: T;
  readonly title: string;
  readonly text: string;
}

/** A list of which one is chosen. */
export function Choices<T extends string>({
  name,
  legend,
  choices,
  chosen,
  onChoose,
}: {
  readonly name: string;
  readonly legend: string;
  readonly choices: readonly Choice<T>[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}): JSX.Element {
  return (
    <fieldset class="choices">
      <legend class="out-of-sight">{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} class="choice">
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === chosen}
            onChange={() => onChoose(choice.value)}
          />
          <span class="choice-title">{choice.title}</span>
          <span class="choice-text">{choice.text}</span>
        </label>
      ))}
    </fieldset>
  );
}
