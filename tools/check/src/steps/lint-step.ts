import type { Step } from '../step.js';
import { commandStep } from './command-step.js';

const projectGraph = commandStep('graph', 'Nx reads the project graph', 'nx/dist/bin/nx.js', ['show', 'projects']);
const lint = commandStep('lint', 'ESLint, with the floors of the house as module boundaries', 'eslint/bin/eslint.js', [
  '.',
  '--max-warnings=0',
  '--config',
  'tools/check/lint/eslint.whole.config.mjs',
]);

/**
 * Lints the workspace. Nx's project graph is made first, because the rule on module boundaries reads it from Nx's
 * workspace data and skips itself, with no error, where there is none: as in every fresh clone.
 */
export const lintStep: Step = {
  ...lint,
  async run(context) {
    const made = await projectGraph.run(context);
    return made.passed ? lint.run(context) : made;
  },
};
