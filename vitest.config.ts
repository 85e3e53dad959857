import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { words } from './packages/web/vite-words.ts';

/**
 * Real encoders, players and browsers on a shared machine: where everything is run, one that fails is tried once more,
 * and the report says so beside its name. A fault fails twice.
 */
const SECOND_TRY = process.env.CI === undefined ? 0 : 1;

/**
 * Files that take a minute and more, longest first: begun last, one would be waited for alone. Those with browsers that
 * play stand so that no two heavy ones come together.
 */
const LONG = [
  'browser/players',
  'browser/player-transports',
  'browser/webrtc',
  'browser/player',
  'browser/events',
  'browser/hls-js',
  'browser/dash',
  'browser/relay',
  'browser/obs',
  'pages/accessibility',
  'integration/hls-day',
  'integration/wrap',
  'pages/rooms',
  'integration/ts',
  'integration/inspect',
  'integration/restart',
  'integration/cli-media',
  'integration/hostile-load',
  'integration/publishers',
  'integration/rtmp-variants',
  'integration/dash',
  'integration/hls-shapes',
  'integration/hls',
  'integration/hls-rules',
  'integration/hostile-http',
  'integration/enhanced-rtmp',
];

/** Begins with the files of {@link LONG}; a clean clone has no times of its own. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number =>
      LONG.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
    const long = others.filter((file) => place(file) >= 0).sort((a, b) => place(a) - place(b));
    return [...long, ...others.filter((file) => place(file) < 0)];
  }
}

const conditions = ['onair-source', 'node', 'import', 'module', 'default'];
const shared = {
  plugins: [words()],
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

export default defineConfig({
  test: {
    globalSetup: 'test/kit/temporary.ts',
    sequence: { sequencer: LongestFirst },
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
          // Nothing but computing: one for each of two cores. The default leaves one of them to vitest itself.
          maxWorkers: 2,
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
          // What pages do; nothing of it hangs on a picture's arriving in time. Browsers have the rest of two cores.
          maxWorkers: 2,
          isolate: false,
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
          isolate: false,
          pool: 'forks',
        },
      },
      {
        ...shared,
        test: {
          // A minute of the players with goals, which decide: nothing else may run meanwhile.
          name: 'measured',
          include: ['test/browser/players.test.ts'],
          env: { ONAIR_MATRIX_MEASURED: '1', ONAIR_MATRIX_STRICT: '1' },
          hookTimeout: 120_000,
          retry: SECOND_TRY,
          pool: 'forks',
        },
      },
    ],
  },
});
