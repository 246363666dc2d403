import { quantizeWeights, type Graph, type QuantizedInput } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import { QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';

/** How exactly products with matrices of few bits are computed. */
export type Accuracy = QuantizedInput['accuracy'];

/** A graph and what its inputs are given once, by name. */
export interface BoundGraph {
  readonly graph: Graph;
  readonly frozen: Readonly<Record<string, Tensor>>;
}

/** A graph with those weights that it reads; it is rewritten to read codes of matrices of few bits. */
export function bindWeights(source: Graph, weights: Readonly<Record<string, Weight>>, accuracy: Accuracy): BoundGraph {
  const quantized: Record<string, QuantizedInput> = {};
  const frozen: Record<string, Tensor> = {};
  for (const [name, weight] of Object.entries(weights)) {
    if (!Object.hasOwn(source.inputs, name)) continue;
    if (weight instanceof QuantizedMatrix) {
      const { bits, block, codes, scales, offsets } = weight;
      quantized[name] = { bits, block, accuracy, offsets: offsets !== undefined };
      Object.assign(frozen, {
        [`${name}.codes`]: codes,
        [`${name}.scales`]: scales,
        ...(offsets && { [`${name}.offsets`]: offsets }),
      });
    } else frozen[name] = weight;
  }
  return { graph: quantizeWeights(source, quantized), frozen };
}
