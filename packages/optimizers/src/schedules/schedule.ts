import type { FloatScalar } from '@user-llm/graph';

/**
 * A number for each step, such as a learning rate, as a graph.
 *
 * @param step How many steps came before, from 0; float32, or float64 where the parameters are.
 * @returns A number of the dtype of `step`.
 */
export type Schedule = (step: FloatScalar) => FloatScalar;
