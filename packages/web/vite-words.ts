import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const CATALOGUE = fileURLToPath(new URL('src/words/catalogue.json', import.meta.url));
/** In the order in which the catalogue lists each text. */
const LANGUAGES = ['en', 'ja', 'zh'];
const PREFIX = 'virtual:words/';

/** What keys of texts begin with that some pages only speak of; such a page imports `virtual:words/en/PART`. */
export const WORD_PARTS: Readonly<Record<string, readonly string[]>> = {
  about: ['about'],
  capabilities: ['can'],
  inspect: ['inspect'],
  operator: ['operator'],
  room: ['room', 'rooms'],
  studio: ['studio', 'recorder', 'reporter', 'roles'],
};

const begin = (key: string): string => key.split('.', 1)[0] ?? '';
const parts = Object.values(WORD_PARTS).flat();

/**
 * Serves the texts of one language of the catalogue as `virtual:words/LANGUAGE`, so that a page loads one only; those in
 * English, which every page loads, without the parts.
 */
export function words(): Plugin {
  return {
    name: 'onair-words',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return undefined;
      this.addWatchFile(CATALOGUE);
      const [language = '', part] = id.slice(PREFIX.length + 1).split('/');
      const at = LANGUAGES.indexOf(language);
      const wanted = (key: string): boolean => {
        if (part !== undefined) return WORD_PARTS[part]?.includes(begin(key)) === true;
        return at > 0 || !parts.includes(begin(key));
      };
      const catalogue: Record<string, string[]> = JSON.parse(readFileSync(CATALOGUE, 'utf8'));
      const texts = Object.entries(catalogue)
        .filter(([key]) => wanted(key))
        .map(([key, entry]) => [key, entry[at] ?? key]);
      return `export default ${JSON.stringify(Object.fromEntries(texts))};`;
    },
  };
}
