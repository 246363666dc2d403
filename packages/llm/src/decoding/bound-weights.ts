import { setImmediate } from 'node:timers/promises';
import { joinProducts, quantizeWeights, type Graph, type QuantizedInput, type Size } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import { int8Matrix, type Int8Matrix } from '../quantization/int8-matrix.js';
import { QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';
import { partsOfStack, stackWeights } from '../quantization/stack-weights.js';

/** How exactly products with matrices of few bits are computed. */
export type Accuracy = QuantizedInput['accuracy'];

/** A graph and what its inputs are given once, by name. */
export interface BoundGraph {
  readonly graph: Graph;
  readonly frozen: Readonly<Record<string, Tensor>>;
}

/** Weights that the graphs of one LLM are bound to. */
export class BoundWeights {
  /** By the names of graphs' inputs; joined ones and their parts share memory. */
  readonly #weights: Map<string, Weight>;
  readonly #accuracy: Accuracy;
  /** Second forms of matrices, made when first read. */
  readonly #int8 = new Map<QuantizedMatrix, Int8Matrix>();

  constructor(weights: Readonly<Record<string, Weight>>, accuracy: Accuracy) {
    this.#weights = new Map(Object.entries(weights));
    this.#accuracy = accuracy;
  }

  /**
   * A graph with those weights that it reads: products of the same hidden states are joined, and codes are read where
   * matrices have few bits.
   *
   * @param manyRows Whether products of so many rows read matrices of few bits in their second form, `quantizeWeights`',
   *   which it takes a while to make: the event loop turns between matrices. None does where products are in `float32`.
   */
  async bind(source: Graph, manyRows?: (rows: Size) => boolean): Promise<BoundGraph> {
    const own = [...this.#weights].filter(([name]) => Object.hasOwn(source.inputs, name));
    const kinds = Object.fromEntries(own.map(([name, weight]) => [name, kindOf(weight)]));
    const { graph, joined } = joinProducts(source, kinds);
    for (const [name, parts] of Object.entries(joined)) this.#join(name, parts);
    const quantized: Record<string, QuantizedInput> = {};
    const frozen: Record<string, Tensor> = {};
    for (const name of Object.keys(graph.inputs)) {
      const weight = this.#weights.get(name);
      if (weight instanceof QuantizedMatrix) {
        const { bits, block, codes, scales, offsets } = weight;
        quantized[name] = { bits, block, accuracy: this.#accuracy, offsets: offsets !== undefined };
        Object.assign(frozen, {
          [`${name}.codes`]: codes,
          [`${name}.scales`]: scales,
          ...(offsets && { [`${name}.offsets`]: offsets }),
        });
      } else if (weight) frozen[name] = weight;
    }
    const bound = quantizeWeights(graph, quantized, this.#accuracy === 'int8' ? manyRows : undefined);
    for (const name of Object.keys(quantized)) {
      if (!Object.hasOwn(bound.inputs, `${name}.int8`)) continue;
      await setImmediate();
      const { codes, scales } = this.#inInt8(this.#weights.get(name) as QuantizedMatrix);
      Object.assign(frozen, { [`${name}.int8`]: codes, [`${name}.int8Scales`]: scales });
    }
    return { graph: bound, frozen };
  }

  #inInt8(matrix: QuantizedMatrix): Int8Matrix {
    const known = this.#int8.get(matrix) ?? int8Matrix(matrix);
    this.#int8.set(matrix, known);
    return known;
  }

  #join(name: string, parts: readonly string[]): void {
    if (this.#weights.has(name)) return;
    const stack = stackWeights(parts.map((part) => this.#weights.get(part)!));
    this.#weights.set(name, stack);
    partsOfStack(
      stack,
      parts.map((part) => this.#weights.get(part)!),
    ).forEach((part, at) => {
      this.#weights.set(parts[at]!, part);
    });
  }
}

/** Weights of one kind can be parts of one matrix. */
function kindOf(weight: Weight): string {
  if (!(weight instanceof QuantizedMatrix)) return weight.dtype;
  return `${weight.bits} bits in blocks of ${weight.block}${weight.offsets ? ', shifted' : ''}`;
}
