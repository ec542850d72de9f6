import { defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the numbers. */
const report = process.env['PORTCULLIS_TEST_REPORT'];

/** Tests that open sockets, start processes or generate worlds by the thousand: seconds each, so not on every save. */
const slow = [
  'test/properties/**',
  'test/server/**',
  'test/sources/{live,reflector,reflector-time,kube-client}.test.ts',
  'test/certificates/**',
  'test/scripts/**',
  'test/config/properties.test.ts',
  'test/cluster/bucket.test.ts',
];

/** `unit` is what one runs on each save; `e2e` needs the real control plane and, for the image, Docker. */
export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/long/**', ...slow], testTimeout: 20_000 } },
      { test: { name: 'integration', include: slow.map((pattern) => pattern.replace(/\*\*$/, '**/*.test.ts')), testTimeout: 60_000 } },
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
    ],
  },
});
