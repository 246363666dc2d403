import type { Step } from './step.js';
import { commandStep } from './steps/command-step.js';
import { instantiationsStep } from './steps/instantiations-step.js';
import { lintStep } from './steps/lint-step.js';
import { lockfileStep } from './steps/lockfile-step.js';
import { testsStep } from './steps/tests-step.js';

/** Everything `npm run check` looks at, cheapest first. Nothing here answers from a cache. */
export const allSteps: readonly Step[] = [
  lockfileStep,
  commandStep('format', 'Prettier would change nothing', 'prettier/bin/prettier.cjs', ['--check', '.']),
  commandStep('sync', 'the project references are those that the imports need', 'nx/dist/bin/nx.js', ['sync:check']),
  lintStep,
  commandStep('types', 'every source, test and type test compiles', 'typescript/bin/tsc', [
    '-b',
    '--force',
    '--pretty',
    'false',
  ]),
  instantiationsStep,
  commandStep('build', 'every package builds', 'nx/dist/bin/nx.js', [
    'run-many',
    '-t',
    'build',
    '--skip-nx-cache',
    '--output-style=static',
  ]),
  testsStep,
];
