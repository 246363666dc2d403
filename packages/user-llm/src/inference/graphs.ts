import {
  graph,
  input,
  inputName,
  orderedNodes,
  parameterInputs,
  symbol,
  type Graph,
  type NamedTensors,
  type Symbolic,
} from '@user-llm/graph';
import type { EncodedEvents, EventBatch } from '@user-llm/plugin';
import type { UserLlmModel } from '../compose/compose.js';
import type { UserLlmTree } from '../compose/parameters.js';
import { eventInputs, eventNames } from '../events/event-batch.js';

// B batch, T events, E user width, N ids of the item feature.

/** Names of inputs and outputs of the graphs of a user's side, beside `eventNames`. */
export const userNames = {
  /** Embeddings of events, `[batch, event, userWidth]`. */
  events: 'events',
  /** How many events came before, `[batch]`. */
  lengths: 'lengths',
  /** The embedding of each user's last event, `[batch, userWidth]`. */
  last: 'last',
  /** Scores of the ids of the item feature, `[batch, item]`. */
  scores: 'scores',
  /** What the encoder keeps to append events. */
  kept: (name: string): string => `kept.${name}`,
  /** What it keeps then. */
  keptNext: (name: string): string => `next.kept.${name}`,
  /** What the LLM reads of users. */
  context: (name: string): string => `context.${name}`,
} as const;

const batchSize = symbol('batch');
const eventCount = symbol('event');

/**
 * A graph of given inputs and of the parameters that its outputs need.
 *
 * @param build The outputs, from the model's parameters.
 */
export function modelGraph(
  model: Pick<UserLlmModel, 'parameters'>,
  inputs: readonly Symbolic[],
  build: (tree: UserLlmTree) => NamedTensors,
): Graph {
  const { tree, named } = parameterInputs(model.parameters);
  const outputs = build(tree);
  const read = new Set(orderedNodes(Object.values(outputs)).map((node) => inputName({ node } as Symbolic)));
  const parameters = Object.entries(named).filter(([name]) => read.has(name));
  return graph([...inputs, ...parameters.map(([, tensor]) => tensor)], outputs);
}

const part = (tree: UserLlmTree, name: keyof UserLlmTree): never => tree[name] as never;

/** Histories to embeddings: `events.*` to `events`. */
export function encodeGraph(model: UserLlmModel): Graph {
  const { batch, inputs } = eventInputs(model.features, batchSize, eventCount);
  return modelGraph(model, inputs, (tree) => ({
    [userNames.events]: model.encoder.apply(part(tree, 'encoder'), batch).events,
  }));
}

/** More events of histories that are encoded: features, `lengths` and `kept.*` to `events` and `next.kept.*`. */
export function appendGraph(model: UserLlmModel): Graph {
  const { batch, inputs } = eventInputs(model.features, batchSize, eventCount);
  const { appender } = model.encoder;
  const lengths = input(userNames.lengths, 'int32', ['batch'], [batchSize]);
  const state = Object.entries(appender!.state).map(([name, { axes, shape }]) => {
    const kept = input(userNames.kept(name), 'float32', ['batch', ...axes], [batchSize, ...shape] as never);
    return [name, kept as Symbolic] as const;
  });
  const fed = [...inputs.filter((tensor) => tensor !== batch.mask), lengths, ...state.map(([, kept]) => kept)];
  return modelGraph(model, fed, (tree) => {
    const grown = appender!.append(part(tree, 'encoder'), {
      features: batch.features,
      lengths,
      state: Object.fromEntries(state),
    });
    const next = Object.entries(grown.state).map(([name, kept]) => [userNames.keptNext(name), kept] as const);
    return { [userNames.events]: grown.events, ...Object.fromEntries(next) };
  });
}

/**
 * What the LLM reads of users, from embeddings: `events` and `events.mask` to `context.*`. Every row has room for
 * `maximumEvents`, so that contexts of different users fit side by side.
 */
export function contextGraph(model: UserLlmModel): Graph {
  const eventCount = model.maximumEvents;
  const events = input(
    userNames.events,
    'float32',
    ['batch', 'event', 'userWidth'],
    [batchSize, eventCount, model.encoder.userWidth],
  );
  const mask = input(eventNames.mask, 'bool', ['batch', 'event'], [batchSize, eventCount]);
  return modelGraph(model, [events, mask], (tree) => named(model.contextOf(tree, { events, mask } as EncodedEvents)));
}

/**
 * Histories to all that is made of them: `events.*` to `events` (embeddings) and `context.*`. Every row has room for
 * `maximumEvents`.
 */
export function userGraph(model: UserLlmModel): Graph {
  const { batch, inputs } = eventInputs(model.features, batchSize, model.maximumEvents);
  return modelGraph(model, inputs, (tree) => {
    const encoded = model.encoder.apply(part(tree, 'encoder'), batch);
    return { [userNames.events]: encoded.events, ...named(model.contextOf(tree, encoded)) };
  });
}

function named(context: NamedTensors): NamedTensors {
  return Object.fromEntries(Object.entries(context).map(([name, tensor]) => [userNames.context(name), tensor]));
}

/**
 * Scores of all ids of the item feature: from `last`, the embedding of each user's last event, where that is enough for
 * the encoder (it has `itemScores`), else from histories.
 */
export function itemScoresGraph(model: UserLlmModel): Graph {
  const { encoder } = model;
  if (encoder.itemScores) {
    const last = input(userNames.last, 'float32', ['batch', 'userWidth'], [batchSize, encoder.userWidth]);
    const scores = (tree: UserLlmTree) => encoder.itemScores!(part(tree, 'encoder'), last);
    return modelGraph(model, [last], (tree) => ({ [userNames.scores]: scores(tree) }));
  }
  const { batch, inputs } = eventInputs(model.features, batchSize, eventCount);
  const scores = (tree: UserLlmTree) => encoder.nextItem(part(tree, 'encoder'), batch as EventBatch);
  return modelGraph(model, inputs, (tree) => ({ [userNames.scores]: scores(tree) }));
}
