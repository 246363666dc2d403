import { defineConfig } from 'vitest/config';

/** Where to write a machine-readable report besides the readable one; `.ci/run` sums them up. */
const report = process.env.USER_LLM_TEST_REPORT;

export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'tools/*/vitest.config.mjs'],
    reporters: ['default', ...(report ? [['json', { outputFile: report }]] : [])],
    passWithNoTests: false,
    maxWorkers: '100%',
  },
});
