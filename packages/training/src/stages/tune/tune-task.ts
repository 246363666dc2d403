import { input, type ParameterTree } from '@user-llm/graph';
import { eventInputs, type UserLlmModel, type UserLlmTree } from '@user-llm/user-llm';
import type { TaskExamples } from '../../data/task-examples.js';
import type { LossGraph, TrainingTask } from '../../loop/training-task.js';
import { answerInputs } from './answer-feeds.js';
import { expectationInputs, expectedTokens } from './encoder-expectation.js';
import { tuneBatches, type TuneBatching } from './tune-batches.js';

/**
 * The loss of answers: the mean cross-entropy of those of their tokens that are predicted, with what came or, where the
 * feeds say so, with what the encoder expects.
 *
 * @param training Whether anything is dropped; never of an encoder that teaches, which is not trained.
 */
export function answerLoss(
  model: UserLlmModel,
  tree: UserLlmTree,
  shapes: Readonly<Record<string, readonly number[]>>,
  training: boolean,
): LossGraph {
  const answer = answerInputs(shapes);
  const seed = input('seed', 'int32', [], []);
  const dropping = training ? { seed } : {};
  const inputs = [...Object.values(answer), ...(training ? [seed] : [])];
  const mask = shapes['events.mask'];
  if (!mask) return { inputs, loss: model.loss(tree, { ...answer, ...dropping }) };
  const [batch, events] = mask as readonly [number, number];
  const expectation = expectationInputs(shapes);
  const users = eventInputs(model.features, batch, events, expectation ? undefined : dropping.seed);
  const asked = { ...answer, ...dropping, context: model.userContext(tree, users.batch) };
  if (!expectation) return { inputs: [...inputs, ...users.inputs], loss: model.loss(tree, asked) };
  const scores = model.encoder.nextItem(tree.encoder as never, users.batch);
  const expected = expectedTokens(scores, expectation, model.llm.vocabularySize);
  return {
    inputs: [...inputs, ...users.inputs, ...Object.values(expectation)],
    loss: model.loss(tree, { ...asked, expected }),
  };
}

/** Tuning on drawn examples. */
export function tuneTask(
  name: string,
  model: UserLlmModel,
  source: TaskExamples,
  batching: TuneBatching,
  pool: number,
  seed: number,
): TrainingTask {
  return {
    name,
    parameters: model.parameters as ParameterTree,
    loss: (tree: UserLlmTree, shapes) => answerLoss(model, tree, shapes, true),
    batches: (from) => tuneBatches(source, batching, pool, seed, from),
  };
}
