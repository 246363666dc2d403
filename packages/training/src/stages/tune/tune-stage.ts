import { UserLlmError } from '@user-llm/tensor';
import { constrainedTitles, parameterGroup, type TitleTrie } from '@user-llm/user-llm';
import { TaskExamples, type WeightedTask } from '../../data/task-examples.js';
import { requireLlm } from '../need.js';
import type { Stage, StageInputs } from '../stage.js';
import { trainedBy } from '../strategy.js';
import { defaultTokenBuckets } from './answer-feeds.js';
import { TitleExpectation } from './encoder-expectation.js';
import type { TuneBatching } from './tune-batches.js';
import type { TuneConfig } from './tune-config.js';
import { tuneTask } from './tune-task.js';
import { TuneValidation } from './tune-validation.js';

/** The stage `tune`: answers to tasks about users. */
export function tuneStage(config: TuneConfig, inputs: StageInputs): Stage {
  const name = config.name ?? config.kind;
  const { userLlm, text } = requireLlm(name, inputs);
  const { data, registry, runtime, seed } = inputs;
  const { batchSize, maximumTokens, form, sampling, pool } = config;
  const maximumEvents = Math.min(config.maximumEvents ?? userLlm.maximumEvents, userLlm.maximumEvents);
  const strategy = trainedBy(config.strategy);
  const tokenBuckets = config.tokenBuckets ?? defaultTokenBuckets(maximumTokens);
  const tasks: WeightedTask[] = config.tasks.map((each) => ({
    task: registry.get('tasks', each.name),
    weight: each.weight,
  }));
  const itemTasks = tasks.flatMap(({ task }) => (task.answers === 'item' ? [task.name] : []));
  const trie = itemTasks.length > 0 ? constrainedTitles(userLlm.config, text, [...data.catalogue.values()]) : undefined;
  const batching: TuneBatching = {
    data,
    text,
    form,
    maximumEvents,
    maximumTokens,
    batchSize,
    tokenBuckets,
    ...(trie && {
      vocabularySize: userLlm.llm.vocabularySize,
      titles: { trie, tasks: new Set(itemTasks) },
    }),
  };
  const trainingBatching: TuneBatching = {
    ...batching,
    ...(config.teacher && { expectation: expectationOf(name, trie, itemTasks.length > 0, inputs) }),
  };
  const examples = (part: 'train' | 'validation') =>
    new TaskExamples({ data, tasks, part, sampling, maximumEvents, seed });
  const validation =
    config.validation &&
    new TuneValidation({
      model: userLlm,
      tasks: tasks.map(({ task }) => task),
      source: examples('validation'),
      batching,
      examples: config.validation.examples,
      controls: config.validation.controls,
      runtime,
    });
  return {
    task: {
      ...tuneTask(name, userLlm, examples('train'), trainingBatching, pool, seed),
      ...(validation && { validate: (weights, signal) => validation.figures(weights, signal) }),
    },
    // What teaches keeps still.
    trains: (parameter) => strategy(parameter) && !(config.teacher && parameterGroup(parameter) === 'encoder'),
    dispose: async () => validation?.dispose(),
  };
}

/** @throws UserLlmError `bad-config` when there are no titles that an item is chosen among, and as `TitleExpectation`. */
function expectationOf(
  stage: string,
  titles: TitleTrie | undefined,
  asksItems: boolean,
  { data, item }: StageInputs,
): TitleExpectation {
  if (titles) return new TitleExpectation(titles, data, item);
  throw new UserLlmError('bad-config', {
    what: `stage ${stage}, teacher`,
    expected: 'titles to choose an item among',
    got: asksItems ? "none: the model's titles are free, or the catalogue is empty" : 'no task whose answers are items',
    mend: asksItems ? "Give the model titles: 'constrained', or leave the teacher out." : 'Leave the teacher out.',
  });
}
