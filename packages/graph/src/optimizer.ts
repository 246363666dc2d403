import type { NamedTensors } from './graph.js';
import type { FloatScalar } from './symbolic.js';

/** Gradients or updates, and the state that goes with them. */
export interface OptimizerStep {
  /** What to add to each parameter, by its name. */
  readonly updates: NamedTensors;
  /** The state after the step: the same names and types as before. */
  readonly state: NamedTensors;
}

/**
 * A pure transformation of gradients, as graphs: it holds nothing, so that its state can be saved, split over
 * machines and resumed. Transformations chain: the updates of one are the gradients of the next.
 */
export interface Optimizer {
  readonly name: string;
  /** The state to start from, by names that are unique within the optimizer, such as `first/layers.0.weight`. */
  init(parameters: NamedTensors): NamedTensors;
  /**
   * One step.
   *
   * @param gradients One per parameter that is trained, by its name and of its type.
   * @param step How many steps came before, from 0; a float32 number, exact to 2^24.
   */
  update(gradients: NamedTensors, state: NamedTensors, parameters: NamedTensors, step: FloatScalar): OptimizerStep;
}
