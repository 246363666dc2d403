import type { LinearMap } from '@user-llm/plugin';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { LoraConfig } from './lora-config.js';
import { loraScale } from './lora.js';
import { loraTargets } from './lora-targets.js';

// I inputs of a map, O its outputs, R rank.

type Weights = Readonly<Record<string, Tensor>>;

function weightOf(weights: Weights, name: string, shape: readonly [number, number]): Tensor {
  const found = weights[name];
  if (found?.shape.length === 2 && found.shape.every((size, axis) => size === shape[axis])) return found;
  throw new UserLlmError('bad-weights', {
    what: `merge of LoRA: ${name}`,
    expected: `[${shape.join(', ')}]`,
    got: found ? `[${found.shape.join(', ')}]` : 'nothing',
    mend: "Give all of the LLM's weights and all of LoRA's, and the config that LoRA was trained with.",
  });
}

const reals = (tensor: Tensor): Float64Array => tensor.cast('float64').contiguous().data;

function merged(weight_OI: Tensor, a_RI: Tensor, b_OR: Tensor, scale: number): Tensor {
  const sums = Float64Array.from(reals(weight_OI));
  const [a, b] = [reals(a_RI), reals(b_OR)];
  const [outputs, inputs] = weight_OI.shape as readonly [number, number];
  const rank = a_RI.shape[0]!;
  for (let output = 0; output < outputs; output++) {
    for (let middle = 0; middle < rank; middle++) {
      const factor = scale * b[output * rank + middle]!;
      for (let at = 0; at < inputs; at++) sums[output * inputs + at]! += factor * a[middle * inputs + at]!;
    }
  }
  return new Tensor('float64', weight_OI.axes, weight_OI.shape, sums).cast(weight_OI.dtype);
}

/**
 * The weights of an LLM with those of LoRA added, for export: `W + alpha / rank * B A`, each in the dtype it had.
 *
 * @param weights The LLM's, by name; those of linear maps `MAP.weight` `[outputs, inputs]`.
 * @param loraWeights LoRA's, by name: `MAP.lora_A.weight` and `MAP.lora_B.weight`.
 * @param config The one LoRA was built with, and `linearMaps` too.
 * @returns All of `weights`; those of maps without LoRA are the same tensors.
 * @throws UserLlmError `unknown-target` as `lora`; `bad-weights` when one is missing or has another shape.
 */
export function mergeLora(
  weights: Weights,
  loraWeights: Weights,
  config: LoraConfig,
  linearMaps: Readonly<Record<string, LinearMap>>,
): Record<string, Tensor> {
  const { rank } = config;
  const changed = loraTargets(config.targets, linearMaps).map((name) => {
    const { inputs, outputs } = linearMaps[name]!;
    const weight = weightOf(weights, `${name}.weight`, [outputs, inputs]);
    const a = weightOf(loraWeights, `${name}.lora_A.weight`, [rank, inputs]);
    const b = weightOf(loraWeights, `${name}.lora_B.weight`, [outputs, rank]);
    return [`${name}.weight`, merged(weight, a, b, loraScale(config))] as const;
  });
  return { ...weights, ...Object.fromEntries(changed) };
}
