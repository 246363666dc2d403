import { constant, input, type ParameterTree } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { constrainedTitles, parameterGroup, type UserLlmModel, type UserLlmTree } from '@user-llm/user-llm';
import { trainedItems, type TokenizedData } from '../../data/training-data.js';
import type { LossGraph } from '../../loop/training-task.js';
import type { Shapes } from '../../loop/step-graphs.js';
import { noTitles, requireLlm } from '../need.js';
import type { Stage, StageInputs } from '../stage.js';
import { trainedBy } from '../strategy.js';
import { answerInputs } from '../tune/answer-feeds.js';
import { alignBatches, namedItems, type NamedItem } from './align-batches.js';
import type { AlignConfig } from './align-config.js';
import { directionsOf, itemDirections, itemsInput } from './item-vectors.js';

/**
 * The stage `align`: rows of items as the encoder would predict them, and the title of the last as the answer. What the
 * encoder says of a user is a direction among items; after this stage the LLM can read such directions aloud, so that
 * tuning starts from there.
 */
export function alignStage(config: AlignConfig, inputs: StageInputs): Stage {
  const name = config.name ?? config.kind;
  const { userLlm, text } = requireLlm(name, inputs);
  const titles = constrainedTitles(userLlm.config, text, [...inputs.data.catalogue.values()]);
  if (config.firstChoiceShare !== undefined && !titles) throw noTitles(name, 'firstChoiceShare', true);
  const items = namedItems(inputs.data, inputs.item, text, config.maximumTokens, titles);
  const sizes = { ...config, ...(titles && { vocabularySize: userLlm.llm.vocabularySize }) };
  const strategy = trainedBy(config.strategy);
  return {
    task: {
      name,
      parameters: userLlm.parameters as ParameterTree,
      loss: (tree: UserLlmTree, shapes) => alignLoss(name, userLlm, tree, shapes),
      batches: async function* (from) {
        const weights = config.sampling === 'events' ? await eventsOf(items, inputs.data) : undefined;
        yield* alignBatches(items, { ...sizes, weights }, inputs.seed, from);
      },
    },
    trains: (parameter) => strategy(parameter) && parameterGroup(parameter) !== 'encoder',
    dispose: () => Promise.resolve(),
  };
}

/** Training events of each item; an item known by its vector alone counts as one. */
async function eventsOf(items: readonly NamedItem[], data: TokenizedData): Promise<number[]> {
  const events = await trainedItems(data);
  return items.map(({ item }) => events.get(item) ?? 1);
}

function alignLoss(name: string, model: UserLlmModel, tree: UserLlmTree, shapes: Shapes): LossGraph {
  const [batch, events] = shapes['items'] as readonly [number, number];
  const answer = answerInputs(shapes);
  const seed = input('seed', 'int32', [], []);
  const items = itemsInput(batch, events);
  const mask = new Tensor('bool', ['batch', 'event'] as const, [batch, events], new Uint8Array(batch * events).fill(1));
  const directions = itemDirections(name, model.encoder, tree.encoder as never);
  const context = model.contextOf(tree, { events: directionsOf(directions, items), mask: constant(mask) });
  return { inputs: [...Object.values(answer), items, seed], loss: model.loss(tree, { ...answer, context, seed }) };
}
