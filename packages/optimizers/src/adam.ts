import type { Optimizer } from '@user-llm/graph';
import { adamStep, type AdamOptions } from './adam-step.js';

/**
 * Adam: steps of the mean gradient over the root of the mean square, each without bias. Kingma and Ba, "Adam: a method
 * for stochastic optimization", ICLR 2015, algorithm 1. Weight decay is added to the gradients, as in `torch.optim.Adam`.
 *
 * State: `first/NAME` and `second/NAME`, running sums of gradients and of their squares; the paper's moments are
 * `(1 - firstDecay) * first` and `(1 - secondDecay) * second`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when an option is out of its range.
 */
export function adam(options: AdamOptions): Optimizer {
  return adamStep('adam', 'coupled', 0, options);
}
