import { initializeParameters } from '@user-llm/graph';
import { Random, type Tensor } from '@user-llm/tensor';
import { llama, type LlamaConfig } from '../src/index.js';

/** A tiny Llama with weights large enough that every part of it shows in the logits. */
export function tinyLlama(given: Partial<LlamaConfig> = {}) {
  const config = llama.config.parse({
    vocabularySize: 40,
    width: 16,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    feedForward: 24,
    maximumTokens: 48,
    deviation: 0.25,
    ...given,
  });
  const llm = llama.build(config);
  const weights: Record<string, Tensor> = initializeParameters(llm.parameters, Random.fromSeed(4));
  return { config, llm, weights };
}

/** The largest absolute difference of two runs of numbers. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < a.length; at++) largest = Math.max(largest, Math.abs(a[at]! - b[at]!));
  return largest;
}

/** Some tokens, the same each time. */
export function someTokens(count: number, name = 'tokens', below = 40): number[] {
  return Array.from(Random.fromSeed(9).split(name).integers(count, below));
}
