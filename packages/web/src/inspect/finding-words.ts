import type { Finding } from '@onair/media/inspect';
import { fill, LANGUAGES, type Language, language } from '../words/words.ts';
import sentences from './sentences.json' with { type: 'json' };

/** A text and the language it is in. */
export interface SpokenText {
  readonly text: string;
  readonly lang: Language;
}

/** Languages of `sentences.json`, in its order: English is what the finding itself says. */
const OTHERS = LANGUAGES.filter((one) => one !== 'en');

/**
 * What a finding says, in the language of the page; in English where only that is known: what parsers and the rules of
 * playlists say is in the words of their standards.
 */
export function findingWords({ message, sentence, values = {} }: Finding): SpokenText {
  const lang = language.value;
  const texts = sentence === undefined ? undefined : sentences[sentence];
  const text = texts?.[OTHERS.indexOf(lang as (typeof OTHERS)[number])];
  return text === undefined ? { text: message, lang: 'en' } : { text: fill(text, values), lang };
}
