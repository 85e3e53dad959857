import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The player for pages of others: `/onair-player.js` with all further parts addressed relative to itself. */
export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: false,
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: { conditions: ['onair-source', ...defaultClientConditions] },
  build: {
    target: ['chrome107', 'firefox104', 'safari16'],
    outDir: 'dist',
    emptyOutDir: false,
    reportCompressedSize: false,
    lib: { entry: here('src/player-entry.ts'), formats: ['es'], fileName: () => 'onair-player.js' },
    rolldownOptions: { output: { chunkFileNames: 'assets/player-[name]-[hash].js' } },
  },
});
