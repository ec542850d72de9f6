import { defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the numbers. */
const report = process.env['PORTCULLIS_TEST_REPORT'];

/** `unit` is what one runs on each save; `e2e` needs the real control plane and, for the image, Docker. */
export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/long/**'], testTimeout: 20_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'long', include: ['test/long/**/*.test.ts'], testTimeout: 3_600_000, fileParallelism: false } },
    ],
  },
});
