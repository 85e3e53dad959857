import { defineConfig } from 'vitest/config';
import { words } from './packages/web/vite-words.ts';

const conditions = ['onair-source', 'node', 'import', 'module', 'default'];
const shared = {
  plugins: [words()],
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'test/architecture/**/*.test.ts',
            'test/docs/**/*.test.ts',
          ],
          testTimeout: 20_000,
          // Half of the time went by loading the same modules for each file.
          isolate: false,
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // Most of their time goes by waiting for media in real time.
          maxWorkers: 3,
          pool: 'forks',
        },
      },
      {
        ...shared,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          pool: 'forks',
        },
      },
    ],
  },
});
