import {
  constant,
  gather,
  input,
  rename,
  rmsNorm,
  stopGradient,
  subtract,
  transpose,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import type { UserEncoderModule } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { requireItemScores } from '../need.js';

// B batch, T events, E user width, V ids.

/** Added to mean squares. */
const epsilon = 1e-6;

/**
 * The direction that an event's embedding has when the encoder is sure of the item that comes next, for every id of the
 * item feature: its scores are linear in the embedding, so these are their slopes. `[V, E]`, not trained.
 *
 * @throws UserLlmError `bad-config` when the encoder does not score items by embeddings.
 */
export function itemDirections(
  stage: string,
  encoder: UserEncoderModule,
  parameters: never,
): Float<readonly ['item', 'userWidth']> {
  const { userWidth } = encoder;
  const itemScores = requireItemScores(stage, encoder);
  const basis = new Float32Array(userWidth * userWidth);
  for (let at = 0; at < userWidth; at++) basis[at * userWidth + at] = 1;
  const scoresOf = (data: Float32Array, rows: number): Float<readonly ['batch', 'item']> =>
    itemScores(parameters, constant(new Tensor('float32', ['batch', 'userWidth'] as const, [rows, userWidth], data)));
  const slopes_EV = subtract(scoresOf(basis, userWidth), scoresOf(new Float32Array(userWidth), 1));
  return stopGradient(rename(transpose(slopes_EV, ['item', 'batch']), 'batch', 'userWidth'));
}

/** Rows of directions with root mean square 1, as after a layer norm at its first values: `[B, T, E]`. */
export function directionsOf(
  directions_VE: Float<readonly ['item', 'userWidth']>,
  ids_BT: Symbolic<'int32', readonly ['batch', 'event']>,
): Float<readonly ['batch', 'event', 'userWidth']> {
  const width = directions_VE.shape[1] as number;
  const ones = constant(new Tensor('float32', ['userWidth'] as const, [width], new Float32Array(width).fill(1)));
  return rmsNorm(gather(directions_VE, ids_BT), ones, epsilon);
}

/** The input that names the items of a row: `[B, T]`. */
export function itemsInput(batch: number, events: number): Symbolic<'int32', readonly ['batch', 'event']> {
  return input('items', 'int32', ['batch', 'event'], [batch, events]);
}
