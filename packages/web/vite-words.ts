import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const CATALOGUE = fileURLToPath(new URL('src/words/catalogue.json', import.meta.url));
/** In the order in which the catalogue lists each text. */
const LANGUAGES = ['en', 'ja', 'zh'];
const PREFIX = 'virtual:words/';

/** Serves the texts of one language of the catalogue as `virtual:words/LANGUAGE`, so that a page loads one only. */
export function words(): Plugin {
  return {
    name: 'onair-words',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return undefined;
      this.addWatchFile(CATALOGUE);
      const at = LANGUAGES.indexOf(id.slice(PREFIX.length + 1));
      const catalogue: Record<string, string[]> = JSON.parse(readFileSync(CATALOGUE, 'utf8'));
      const texts = Object.entries(catalogue).map(([key, entry]) => [key, entry[at] ?? key]);
      return `export default ${JSON.stringify(Object.fromEntries(texts))};`;
    },
  };
}
