import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../command.js';
import type { Step } from '../step.js';
import { countReports, summaryLine } from '../test-report.js';
import { programPath } from './command-step.js';

/** Runs every test of the workspace from the sources. */
export const testsStep: Step = {
  name: 'tests',
  description: 'every test of the workspace',
  async run({ root }) {
    const folder = await mkdtemp(join(tmpdir(), 'user-llm-tests-'));
    try {
      const vitest = [programPath(root, 'vitest/vitest.mjs'), 'run', '--config', 'tools/build/vitest.whole.mjs'];
      const { status } = await runCommand(process.execPath, vitest, {
        cwd: root,
        environment: { USER_LLM_TEST_REPORT: join(folder, 'all.json') },
        show: true,
      });
      const counts = await countReports(folder);
      return { passed: status === 0 && counts.failed === 0, detail: summaryLine(counts) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/**
 * Reads the reports of tests that have run already, instead of running them again.
 *
 * @param folder Where vitest's JSON reporter wrote them.
 */
export function reportedTestsStep(folder: string): Step {
  return {
    ...testsStep,
    async run() {
      const counts = await countReports(folder);
      return { passed: counts.failed === 0, detail: summaryLine(counts) };
    },
  };
}
