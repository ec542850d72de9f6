import { defineConfig } from 'vitest/config';

/** Where `.ci/run` wants the numbers. */
const report = process.env['PORTCULLIS_TEST_REPORT'];

/** Tests that open sockets, start processes or generate worlds by the thousand: seconds each, so not on every save. */
const slow = [
  'test/properties/**',
  'test/fuzz/**',
  'test/server/**',
  'test/sources/{live,reflector,reflector-time,kube-client}.test.ts',
  'test/certificates/**',
  'test/scripts/**',
  'test/chart/**',
  'test/page/**',
  'test/config/properties.test.ts',
  'test/client/leader-election.test.ts',
  'test/cluster/bucket.test.ts',
];

/** `.ci/run` has found out that the machine cannot have one, and has said why. */
const withoutNode = process.env['PORTCULLIS_NODE'] === 'off';
const node = {
  test: {
    name: 'node',
    include: ['test/node/**/*.test.ts'],
    globalSetup: ['test/node/global-setup.ts', 'test/chart/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    sequence: { groupOrder: 2 },
  },
};

/** `unit` is what one runs on each save; `e2e` needs the real control plane and, for the image, Docker; `node` a machine that can be a Kubernetes node. */
export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/node/**', 'test/long/**', ...slow],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: slow.map((pattern) => pattern.replace(/\*\*$/, '**/*.test.ts')),
          globalSetup: ['test/chart/global-setup.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts', 'test/chart/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          // What is measured under load must not share two cores with a thousand quick tests; nor may the node.
          sequence: { groupOrder: 1 },
        },
      },
      ...(withoutNode ? [] : [node]),
    ],
  },
});
