import { join } from 'node:path';
import { UserLlmError, writeFileAtomically } from '@user-llm/tensor';
import type { Weights } from './step-figures.js';
import type { TrainingBatch } from './training-task.js';

/** Writes the batches that broke the training to a file, and makes the error that names it. */
export async function diverged(
  folder: string,
  stage: string,
  step: number,
  batches: readonly TrainingBatch[],
  cause: UserLlmError,
): Promise<UserLlmError> {
  const path = join(folder, `not-finite-step-${step}.json`);
  const told = batches.map(({ contents, cursor, feeds }) => ({
    contents,
    cursor,
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
        name,
        { dtype, shape, data: [...data].map(Number) },
      ]),
    ),
  }));
  await writeFileAtomically(path, `${JSON.stringify({ stage, step, why: cause.message, batches: told }, null, 1)}\n`);
  return new UserLlmError('training-diverged', {
    what: `stage ${stage}, step ${step}`,
    expected: 'a finite loss and finite gradients',
    got: cause.details.got ?? cause.message,
    mend: `The batch is in ${path}, and the parameters before it are the last checkpoint. Lower the learning rate, clip gradients, or look at that batch.`,
    cause,
  });
}

/**
 * Refuses figures on held-out data that are not finite: no checkpoint can tell which parameters are better by them.
 *
 * @throws UserLlmError `training-diverged`.
 */
export function requireFiniteFigures(stage: string, step: number, figures: Readonly<Record<string, number>>): void {
  const broken = Object.entries(figures).find(([, value]) => !Number.isFinite(value));
  if (broken) throw divergedParameters(`stage ${stage}, validation after step ${step}`, 'figures', broken.join(' '));
}

/**
 * Refuses parameters that are not finite or so large that their squares are not, in float32: such as those of a stage that
 * ended right after one huge step.
 *
 * @throws UserLlmError `training-diverged`.
 */
export function requireFiniteWeights(what: string, weights: Weights): void {
  for (const [name, { data }] of Object.entries(weights)) {
    const broken = (data as Float32Array).find((value) => !Number.isFinite(Math.fround(value * value)));
    if (broken !== undefined) throw divergedParameters(what, 'parameters, and their squares', `${broken} in ${name}`);
  }
}

function divergedParameters(what: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('training-diverged', {
    what,
    expected: `finite ${expected}`,
    got,
    mend: 'Train in another folder with a lower learning rate, or clip gradients; the last checkpoint is as it was.',
  });
}
