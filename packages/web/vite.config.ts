import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { words } from './vite-words.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * The pages. The first part of an address names its file: `/` is index.html, `/watch/APP/NAME` is watch.html,
 * `/signin` is signin.html; whatever has no file is 404.html.
 */
const pages = [
  ...['index', 'watch', 'embed', 'compare', 'dashboard', 'inspect', 'capabilities', 'signin'],
  ...[
    'operator',
    'studio',
    'reporter',
    'viewer',
    'player',
    'files',
    'proxy',
    'talk',
    'room',
    'rooms',
    'relay',
    'live',
    'about',
    '404',
  ],
];

export default defineConfig({
  root: here('.'),
  plugins: [words()],
  resolve: { conditions: ['onair-source', ...defaultClientConditions] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: 'assets/manifest.json',
    rolldownOptions: { input: pages.map((page) => here(`${page}.html`)) },
  },
});
