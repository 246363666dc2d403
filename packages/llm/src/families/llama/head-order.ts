import { Tensor } from '@user-llm/tensor';
import { headsOf } from '../config-fields.js';
import type { LlamaConfig } from './config.js';

/** Names of the parameters whose rows are turned by positions. */
const turned = /\.self_attn\.(q|k)_proj\.(weight|bias)$/;

/**
 * Weights of interleaved heads (llama2.c) in Hugging Face's order, where the pairs that are turned together stand half
 * a head apart; attention is the same, since queries and keys are reordered alike.
 *
 * @returns The config and the weights of an equal Llama whose heads are not interleaved.
 */
export function withoutInterleaving(
  config: LlamaConfig,
  weights: Readonly<Record<string, Tensor>>,
): { readonly config: LlamaConfig; readonly weights: Readonly<Record<string, Tensor>> } {
  if (!config.rotaryInterleaved) return { config, weights };
  const { headSize } = headsOf(config);
  const reordered = Object.entries(weights).map(([name, tensor]) => [
    name,
    turned.test(name) ? separated(tensor, headSize) : tensor,
  ]);
  return {
    config: { ...config, rotaryInterleaved: false },
    weights: Object.fromEntries(reordered) as Record<string, Tensor>,
  };
}

/** In each head the rows of even places before those of odd places. */
function separated(tensor: Tensor, headSize: number): Tensor {
  const { data } = tensor.cast('float32').contiguous();
  const rows = tensor.shape[0]!;
  const width = data.length / rows;
  const moved = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const within = row % headSize;
    const to = row - within + (within % 2) * (headSize / 2) + Math.floor(within / 2);
    moved.set(data.subarray(row * width, (row + 1) * width), to * width);
  }
  return new Tensor('float32', tensor.axes, tensor.shape, moved) as Tensor;
}
