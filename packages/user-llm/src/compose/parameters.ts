import type { ParameterTree, SymbolicParameters } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';

/** The parts of a User-LLM that have parameters. */
export const parameterGroupNames = ['encoder', 'compressor', 'fusion', 'lora', 'llm'] as const;

/** A part of a User-LLM that has parameters. */
export type ParameterGroupName = (typeof parameterGroupNames)[number];

/** All parameters by part; full names are `encoder.…`, `compressor.…`, `fusion.…`, `lora.…`, `llm.…`. */
export type UserLlmParameters = {
  readonly encoder: ParameterTree;
  readonly compressor: ParameterTree;
  readonly fusion: ParameterTree;
  readonly lora?: ParameterTree;
  readonly llm: ParameterTree;
};

/** All parameters in a graph, as `parameterInputs` makes them. */
export type UserLlmTree = SymbolicParameters<UserLlmParameters>;

/**
 * Which part a parameter belongs to, by its full name; strategies of training are predicates on it.
 *
 * @throws UserLlmError `unknown-parameter` for a name of no part.
 */
export function parameterGroup(name: string): ParameterGroupName {
  const group = parameterGroupNames.find((candidate) => name.startsWith(`${candidate}.`));
  if (group) return group;
  throw new UserLlmError('unknown-parameter', {
    what: `parameter ${JSON.stringify(name)}`,
    expected: `a name that starts with one of ${parameterGroupNames.map((each) => `${each}.`).join(', ')}`,
  });
}
