import { add, cast, divide, globalNorm, maximum, minimum, multiply, type Optimizer } from '@user-llm/graph';
import { checked, positive } from './hyper-parameter.js';
import { scalarOf } from './scalar.js';
import { mapNamed, stateless } from './transformation.js';

/**
 * Scales all gradients by one factor so that their global norm, the root of the sum of all squares, is at most
 * `largest`: by `min(1, largest / (norm + 1e-6))`, as `torch.nn.utils.clip_grad_norm_`. Pascanu et al., "On the
 * difficulty of training recurrent neural networks", ICML 2013, algorithm 1.
 *
 * @throws UserLlmError `bad-hyper-parameter` when `largest` is not above 0; its `update` throws `bad-argument` when there
 *   are no gradients.
 */
export function clipByGlobalNorm(largest: number): Optimizer {
  checked('clipByGlobalNorm', largest, positive);
  return {
    name: 'clipByGlobalNorm',
    init: () => ({}),
    update: (gradients) => {
      const norm = globalNorm(gradients);
      const factor = minimum(divide(scalarOf(norm, largest), add(norm, 1e-6)), 1);
      return {
        updates: mapNamed(gradients, (slope) => multiply(slope, cast(factor, slope.dtype))),
        state: {},
      };
    },
  };
}

/**
 * Cuts each element of the gradients to within `-largest` and `largest`, as `torch.nn.utils.clip_grad_value_`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when `largest` is not above 0.
 */
export function clipByValue(largest: number): Optimizer {
  checked('clipByValue', largest, positive);
  return stateless('clipByValue', (slope) => minimum(maximum(slope, -largest), largest));
}
