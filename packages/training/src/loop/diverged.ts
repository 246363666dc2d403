import { join } from 'node:path';
import { UserLlmError, writeFileAtomically } from '@user-llm/tensor';
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
