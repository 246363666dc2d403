import type { Step } from './step.js';
import { commandStep } from './steps/command-step.js';
import { instantiationsStep } from './steps/instantiations-step.js';
import { lintStep } from './steps/lint-step.js';
import { lockfileStep } from './steps/lockfile-step.js';
import { testsStep } from './steps/tests-step.js';

/**
 * Everything `npm run check` looks at but the tests: lanes that run side by side, each from its first step to its last.
 * Nothing here answers from a cache.
 */
export const lanes: readonly (readonly Step[])[] = [
  [
    lockfileStep,
    commandStep('format', 'Prettier would change nothing', 'prettier/bin/prettier.cjs', ['--check', '.']),
    commandStep('sync', 'the project references are those that the imports need', 'nx/dist/bin/nx.js', ['sync:check']),
    lintStep,
    instantiationsStep,
  ],
  [
    commandStep('types', 'every source, test and type test compiles', 'typescript/bin/tsc', [
      '-b',
      '--force',
      '--pretty',
      'false',
    ]),
    commandStep('build', 'every package builds', 'nx/dist/bin/nx.js', [
      'run-many',
      '-t',
      'build',
      '--skip-nx-cache',
      // Those are the types of each package, which the step before has checked.
      '--exclude-task-dependencies',
      '--output-style=static',
    ]),
  ],
];

/** The lanes, and then the tests, which want the machine for themselves. */
export const allSteps: readonly Step[] = [...lanes.flat(), testsStep];
