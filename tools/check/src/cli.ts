import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { allSteps, lanes } from './all-steps.js';
import type { Step, StepResult } from './step.js';
import { reportedTestsStep, testsStep } from './steps/tests-step.js';

/** This file lies in `tools/check/dist` when built, in `tools/check/src` in tests. */
const workspaceRoot = resolve(import.meta.dirname, '../../..');

const usage = `Usage: npm run check [-- STEP...] [-- --test-reports FOLDER]

Looks at the whole workspace, or at the steps named:
${allSteps.map(({ name, description }) => `  ${name.padEnd(15)}${description}`).join('\n')}

  --test-reports FOLDER   read vitest's JSON reports there instead of running the tests
`;

/**
 * The command `check`.
 *
 * @param args The command line after the command's own name.
 * @returns The exit status: 0 when everything passed.
 * @throws Error when the command line names a step that does not exist.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, 'test-reports': { type: 'string' } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const steps = selectSteps(positionals, values['test-reports']);
  const failed: string[] = [];
  let lastLine = '';
  const run = async (chosen: readonly Step[]): Promise<void> => {
    for (const step of chosen) {
      const { passed, detail } = await runStep(step);
      if (!passed) failed.push(step.name);
      if (step.name === testsStep.name) lastLine = `${detail}\n`;
    }
  };
  await Promise.all(lanes.map((lane) => run(steps.filter((step) => lane.includes(step)))));
  await run(steps.filter(({ name }) => name === testsStep.name));
  process.stdout.write(failed.length === 0 ? 'Everything passed.\n' : `Failed: ${failed.join(', ')}.\n`);
  process.stdout.write(lastLine);
  return failed.length === 0 ? 0 : 1;
}

function selectSteps(names: readonly string[], testReports: string | undefined): readonly Step[] {
  const unknown = names.filter((name) => !allSteps.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(', ')}.\n\n${usage}`);
  const chosen = names.length === 0 ? allSteps : allSteps.filter(({ name }) => names.includes(name));
  if (testReports === undefined) return chosen;
  return chosen.map((step) => (step === testsStep ? reportedTestsStep(testReports) : step));
}

async function runStep(step: Step): Promise<StepResult> {
  const start = performance.now();
  const result = await step.run({ root: workspaceRoot });
  const { passed, detail } = result;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)\n`);
  if (detail !== '') process.stdout.write(`${detail.trimEnd().replace(/^/gm, '    ')}\n`);
  return result;
}
