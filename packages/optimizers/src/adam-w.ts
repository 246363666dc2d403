import type { Optimizer } from '@user-llm/graph';
import { adamStep, type AdamOptions } from './adam-step.js';

/**
 * AdamW: Adam with weight decay beside the gradients, `-learningRate * weightDecay * parameter` a step. Loshchilov and
 * Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, in the form of `torch.optim.AdamW`.
 *
 * State: as `adam`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when an option is out of its range.
 */
export function adamW(options: AdamOptions): Optimizer {
  return adamStep('adamW', 'decoupled', 0.01, options);
}
