import {
  applyOne,
  cast,
  constant,
  greater,
  operators,
  reshape,
  sum,
  type Float,
  type Size,
  type Symbolic,
} from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';

// B batch, T events of a history, K latents.

/** How many events each user has, `[B]`, as a real number. */
export function countEvents(mask_BT: Symbolic<'bool', readonly ['batch', 'event']>): Float<readonly ['batch']> {
  return sum(cast(mask_BT, 'float32'), 'event');
}

/**
 * The mask of latents that all say something as soon as there is one event.
 *
 * @returns `[B, K]`
 */
export function maskOfPresent(
  mask_BT: Symbolic<'bool', readonly ['batch', 'event']>,
  latents: Size,
): Symbolic<'bool', readonly ['batch', 'latent']> {
  const batch = mask_BT.shape[0]!;
  const present_B1 = reshape(greater(countEvents(mask_BT), 0), ['batch', 'latent'], [batch, 1]);
  return spread(present_B1, batch, latents);
}

/**
 * A mask that leaves out nothing.
 *
 * @returns `[B, K]`
 */
export function fullMask(batch: Size, latents: Size): Symbolic<'bool', readonly ['batch', 'latent']> {
  return spread(constant(new Tensor('bool', [], [], Uint8Array.of(1))), batch, latents);
}

function spread(mask: Symbolic<'bool'>, batch: Size, latents: Size): Symbolic<'bool', readonly ['batch', 'latent']> {
  const shape = [batch, latents];
  return applyOne(operators.broadcastTo, [mask], { axes: ['batch', 'latent'], shape }) as Symbolic<
    'bool',
    readonly ['batch', 'latent']
  >;
}
