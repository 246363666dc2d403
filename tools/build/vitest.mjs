import { defineProject } from 'vitest/config';

const conditions = ['@user-llm/source'];

/**
 * One vitest configuration for every package; tests run on the sources, with no build before them.
 *
 * @param {import('vitest/config').ProjectConfig} test What a package adds, such as a longer `testTimeout`.
 */
export const project = (test = {}) =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      environment: 'node',
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      // Bounds a test that hangs, not one on a busy machine.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      ...test,
    },
  });

/** Where to write a machine-readable report besides the readable one; `.ci/run` sums them up. */
const report = process.env.USER_LLM_TEST_REPORT;

/** What every run over more than one package has in common. */
export const run = {
  reporters: ['default', ...(report ? [['json', { outputFile: report }]] : [])],
  passWithNoTests: false,
  maxWorkers: '100%',
};
