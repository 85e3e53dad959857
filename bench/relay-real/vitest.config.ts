import { defineConfig } from 'vitest/config';

const conditions = ['onair-source', 'node', 'import', 'module', 'default'];

/** The bench of the real relay tree, run by `bench/relay.mjs --real`. Each stage has a time limit of its own. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name: 'relay-real',
    include: ['bench/relay-real/*.test.ts'],
    pool: 'forks',
  },
});
