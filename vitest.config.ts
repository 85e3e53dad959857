import { defineConfig } from 'vitest/config';
import { words } from './packages/web/vite-words.ts';

/**
 * Real encoders, players and browsers on a shared machine: where everything is run, one that fails is tried once more,
 * and the report says so beside its name. A fault fails twice.
 */
const SECOND_TRY = process.env.CI === undefined ? 0 : 1;
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
          retry: SECOND_TRY,
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
          maxWorkers: 5,
          // The whole server is loaded once in each worker, not for each file.
          isolate: false,
          retry: SECOND_TRY,
          pool: 'forks',
        },
      },
      {
        ...shared,
        test: {
          name: 'pages',
          include: ['test/pages/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          // What pages do; nothing of it hangs on a picture's arriving in time.
          maxWorkers: 2,
          retry: SECOND_TRY,
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
          retry: SECOND_TRY,
          // Two cores decode what two files play.
          maxWorkers: 2,
          pool: 'forks',
        },
      },
    ],
  },
});
