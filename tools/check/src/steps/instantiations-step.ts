import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command.js';
import { compareWithBudget, readInstantiations, type InstantiationBudgets } from '../instantiations.js';
import type { Step } from '../step.js';
import { programPath } from './command-step.js';

/** Holds the compiler's work on the axis types within `tools/check/budgets.json`. */
export const instantiationsStep: Step = {
  name: 'instantiations',
  description: 'the axis types cost the compiler no more than tools/check/budgets.json allows',
  async run({ root }) {
    const budgets = JSON.parse(await readFile(join(root, 'tools/check/budgets.json'), 'utf8')) as InstantiationBudgets;
    const lines: string[] = [];
    let passed = true;
    for (const [project, budget] of Object.entries(budgets)) {
      const compiler = programPath(root, 'typescript/bin/tsc');
      const { status, output } = await runCommand(
        process.execPath,
        [compiler, '-p', project, '--extendedDiagnostics'],
        {
          cwd: root,
        },
      );
      if (status !== 0) return { passed: false, detail: output };
      const compared = compareWithBudget(project, readInstantiations(output), budget);
      passed &&= compared.passed;
      lines.push(compared.line);
    }
    return { passed, detail: lines.join('\n') };
  },
};
