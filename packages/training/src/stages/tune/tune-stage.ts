import { constrainedTitles, parameterGroup } from '@user-llm/user-llm';
import { TaskExamples, type WeightedTask } from '../../data/task-examples.js';
import { noTitles, requireLlm } from '../need.js';
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
  const { teacher, firstChoiceShare } = config;
  const needsTitles = [...(teacher ? ['teacher'] : []), ...(firstChoiceShare ? ['firstChoiceShare'] : [])];
  if (needsTitles.length > 0 && !trie) throw noTitles(name, needsTitles.join(' and '), itemTasks.length > 0);
  const trainingBatching: TuneBatching = {
    ...batching,
    firstChoiceShare,
    ...(trie && teacher && { expectation: new TitleExpectation(trie, data, inputs.item) }),
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
    trains: (parameter) => strategy(parameter) && !(teacher && parameterGroup(parameter) === 'encoder'),
    dispose: async () => validation?.dispose(),
  };
}
