import type { Asides, FileView, SaidText } from '@onair/client/room';
import { signal } from '@preact/signals';

/** A sign that floats over the picture for a moment. */
interface Floating {
  readonly key: number;
  readonly sign: string;
}

/** Texts that are kept. */
const MAX_TEXTS = 200;
/** Signs that float at one time. */
const MAX_SIGNS = 20;
/** How long a sign floats, ms. */
const FLOAT_MS = 2500;

/** What is said and sent beside the picture, for a page to draw. */
export function createBeside() {
  const texts = signal<readonly SaidText[]>([]);
  const signs = signal<readonly Floating[]>([]);
  const files = signal<readonly FileView[]>([]);
  const asides = signal<Asides | undefined>(undefined);
  let count = 0;
  return {
    texts,
    signs,
    files,
    /** Undefined while there is no line to the room. */
    asides,
    said: (text: SaidText): void => {
      texts.value = [...texts.value, text].slice(-MAX_TEXTS);
    },
    reacted: (sign: string): void => {
      const key = ++count;
      signs.value = [...signs.value, { key, sign }].slice(-MAX_SIGNS);
      setTimeout(() => {
        signs.value = signs.value.filter((one) => one.key !== key);
      }, FLOAT_MS);
    },
    filesChanged: (next: readonly FileView[]): void => {
      files.value = next;
    },
  };
}

/** See {@link createBeside}. */
export type Beside = ReturnType<typeof createBeside>;
