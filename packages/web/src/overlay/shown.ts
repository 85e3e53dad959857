import type { TimedEvent } from '@onair/media';

/** What an event shows on the picture. Its texts come from others: they are written as text only. */
export type Shown =
  | { readonly kind: 'message'; readonly id: string; readonly text: string }
  | {
      readonly kind: 'question';
      readonly id: string;
      readonly question: string;
      readonly choices: readonly string[];
    }
  | {
      readonly kind: 'result';
      readonly id: string;
      readonly question: string;
      readonly choices: readonly string[];
      readonly counts: readonly number[];
      readonly correct: number | undefined;
    };

/** Longest text that is shown, in characters, and most choices. */
const MAX_TEXT = 300;
const MAX_CHOICES = 8;
/** How long an event without duration is shown, ms, and the longest and shortest of the others. */
const SHOWN_MS = 8000;
const MAX_SHOWN_MS = 600_000;
const MIN_SHOWN_MS = 3000;
const TOKEN = 'onair.voter';

/** What an event shows; undefined if that is nothing. */
export function readShown({ id, name, data }: Pick<TimedEvent, 'id' | 'name' | 'data'>): Shown | undefined {
  const fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  if (name === 'message') {
    const text = textOf(fields.text);
    return text === undefined ? undefined : { kind: 'message', id, text };
  }
  const question = textOf(fields.question);
  const choices = Array.isArray(fields.choices) ? fields.choices.slice(0, MAX_CHOICES).map(textOf) : [];
  if (question === undefined || choices.length < 2 || !choices.every((choice) => choice !== undefined))
    return undefined;
  if (name === 'poll' || name === 'quiz') return { kind: 'question', id, question, choices };
  if (name !== 'poll-result' || !Array.isArray(fields.counts)) return undefined;
  const counts = choices.map((_, at) => Number((fields.counts as unknown[])[at]) || 0);
  const correct = typeof fields.correct === 'number' ? fields.correct : undefined;
  return { kind: 'result', id, question, choices, counts, correct };
}

/** How long an event is shown, ms. */
export function showMs({ duration }: Pick<TimedEvent, 'duration'>): number {
  if (duration === 0) return SHOWN_MS;
  return Math.min(MAX_SHOWN_MS, Math.max(MIN_SHOWN_MS, duration / 1000));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, MAX_TEXT) : undefined;
}

let own: string | undefined;

/** What tells this browser from other viewers when it answers; kept where the browser keeps anything. */
export function voterToken(): string {
  if (own !== undefined) return own;
  try {
    own = localStorage.getItem(TOKEN) ?? undefined;
  } catch {
    // storage is refused: the token lasts as long as the page
  }
  if (own === undefined || !/^[A-Za-z0-9_-]{16,64}$/.test(own)) {
    own = [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    try {
      localStorage.setItem(TOKEN, own);
    } catch {
      // as above
    }
  }
  return own;
}
