import { ids, Tensor, type Axes } from '@user-llm/tensor';

/** Generic code over axes, as the packages above write it: what the compiler spends here it spends everywhere. */
function firstOf<A extends Axes>(
  tensors: readonly [Tensor<'float32', A>, ...Tensor<'float32', NoInfer<A>>[]],
): Tensor<'float32', A> {
  return tensors[0];
}

const events = new Tensor('float32', ['batch', 'event', 'userWidth'] as const, [2, 3, 4]);
const latents = new Tensor('float32', ['batch', 'latent', 'userWidth'] as const, [2, 2, 4]);
const items = ids(
  'item',
  ['batch', 'event'],
  [
    [0, 1, 2],
    [2, 1, 0],
  ],
);

export const used = [firstOf([events, events]), firstOf([latents, latents]), items];
