import type { Initializer } from '@user-llm/graph';

/** How the first values of a matrix are made, by its numbers of inputs and outputs. */
export type Initialization = (inputs: number, outputs: number) => Initializer;

/** Normally distributed around 0, whatever the matrix's size. */
export function normalInitialization(standardDeviation: number): Initialization {
  return () => ({ kind: 'normal', standardDeviation });
}

/** Uniform within `sqrt(6 / (inputs + outputs))` (Glorot and Bengio 2010). */
export function xavierInitialization(): Initialization {
  return (inputs, outputs) => ({ kind: 'uniform', bound: Math.sqrt(6 / (inputs + outputs)) });
}

/** Zeros, such as those of a map that must add nothing at first. */
export const zeros: Initializer = { kind: 'constant', value: 0 };

/** Ones, such as the gains of norms. */
export const ones: Initializer = { kind: 'constant', value: 1 };
