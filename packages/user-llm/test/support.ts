import { input, parameterInputs, symbol, type Symbolic } from '@user-llm/graph';
import type { EncodedFeature, EventSchema } from '@user-llm/plugin';
import { composeUserLlm, defineUserLlm, userLlmRegistry, type UserLlmConfigInput } from '../src/index.js';

/** What the tests know of an event. */
export const schema = {
  item: { kind: 'id' },
  rating: { kind: 'ordinal' },
  genres: { kind: 'multi-id', from: 'item', field: 'categories', slots: 2 },
} as const satisfies EventSchema;

export const features: readonly EncodedFeature[] = [
  { name: 'item', size: 9, slots: 1 },
  { name: 'rating', size: 8, slots: 1 },
  { name: 'genres', size: 7, slots: 2 },
];

export const vocabularySize = 24;

/** A config small enough for the reference kernels. */
export function tinyConfig(more: Partial<UserLlmConfigInput> = {}): UserLlmConfigInput {
  return {
    events: schema,
    encoder: {
      name: 'autoregressive',
      config: { width: 8, layers: 1, heads: 2, maximumEvents: 6, featureWidth: 4, dropout: 0 },
    },
    compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2 } },
    fusion: { name: 'cross-attention', config: { heads: 2, deviation: 0.2 } },
    llm: {
      name: 'llama',
      config: { vocabularySize, width: 8, layers: 2, heads: 2, feedForward: 16, maximumTokens: 32, deviation: 0.3 },
    },
    ...more,
  };
}

export function composeTiny(more: Partial<UserLlmConfigInput> = {}) {
  return composeUserLlm(defineUserLlm(tinyConfig(more)), { registry: userLlmRegistry(), features });
}

export type Model = ReturnType<typeof composeTiny>;

/** Tokens and parameters as inputs of a graph. */
export function textInputs(model: Model) {
  const parameters = parameterInputs(model.parameters);
  const tokens = input('tokens', 'int32', ['batch', 'token'], [symbol('batch'), symbol('token')]);
  return { tree: parameters.tree, named: Object.values(parameters.named) as Symbolic[], tokens };
}
