import { isFloat, UserLlmError, type Tensor } from '@user-llm/tensor';
import { requireSameType } from './feeds.js';
import type { Graph } from './graph.js';
import type { TrainStepOptions } from './runtime.js';

/**
 * Checks that every carried input has something to start from.
 *
 * @throws UserLlmError `missing-feed`.
 */
export function requireInitial({ carry, initial }: TrainStepOptions): void {
  for (const name of Object.keys(carry)) initialOf(name, initial);
}

function initialOf(name: string, initial: TrainStepOptions['initial']): Tensor {
  if (Object.hasOwn(initial, name)) return initial[name]!;
  throw new UserLlmError('missing-feed', {
    what: `initial value of ${JSON.stringify(name)}`,
    expected: 'a tensor for each carried input',
    got: 'nothing',
  });
}

/**
 * Checks that a graph can carry what it is told to, and returns what must be finite.
 *
 * @throws UserLlmError `bad-graph` when a carried input or output does not exist, is of another type or taken twice,
 *   or `requireFinite` names an output that is not returned or not of floats; `missing-feed`,
 *   `dtype-mismatch`, `axis-mismatch` or `shape-mismatch` when an initial tensor is missing or of another type.
 */
export function requireCarry(graph: Graph, { carry, initial, requireFinite = [] }: TrainStepOptions): void {
  const taken = new Set<string>();
  for (const [name, output] of Object.entries(carry)) {
    const from = graph.outputs[output];
    const to = graph.inputs[name];
    const fits = from && to && from.dtype === to.dtype && `${from.axes} ${from.shape}` === `${to.axes} ${to.shape}`;
    if (!fits || taken.has(output)) {
      throw new UserLlmError('bad-graph', {
        what: `carrying ${JSON.stringify(output)} over to ${JSON.stringify(name)}`,
        expected: 'an input and an output of one type, each once',
        got: !to
          ? 'no such input'
          : !from
            ? 'no such output'
            : taken.has(output)
              ? 'an output twice'
              : 'different types',
      });
    }
    requireSameType(
      `initial value of ${JSON.stringify(name)}`,
      { ...to, shape: to.shape as readonly number[] },
      initialOf(name, initial),
    );
    taken.add(output);
  }
  const returned = Object.keys(graph.outputs).filter((name) => !taken.has(name) && isFloat(graph.outputs[name]!.dtype));
  const wrong = requireFinite.find((name) => !returned.includes(name));
  if (wrong === undefined) return;
  throw new UserLlmError('bad-graph', {
    what: `requireFinite ${JSON.stringify(wrong)}`,
    expected: `a returned output of floats: ${returned.join(', ') || 'there is none'}`,
    got: wrong in graph.outputs ? 'one that is carried or not of floats' : 'no such output',
  });
}

/**
 * Throws for the first number of a step's output that is NaN or infinite.
 *
 * @throws UserLlmError `not-finite`.
 */
export function requireFiniteOutput(name: string, tensor: Tensor): void {
  const numbers = tensor.cast('float64').contiguous().data;
  const at = numbers.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new UserLlmError('not-finite', {
    what: `output ${JSON.stringify(name)}`,
    expected: 'finite numbers',
    got: numbers.length === 1 ? `${numbers[at]}` : `${numbers[at]} at element ${at}`,
    mend: 'The state is as it was before the step. Lower the learning rate, clip gradients, or leave this batch out.',
  });
}
