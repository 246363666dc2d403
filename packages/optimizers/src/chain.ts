import { UserLlmError } from '@user-llm/tensor';
import type { NamedTensors, Optimizer } from '@user-llm/graph';

/** The names of the parts, each made unique by its count where it occurs again: `adamW`, `scale`, `scale-2`. */
function distinctNames(parts: readonly Optimizer[]): string[] {
  const seen = new Map<string, number>();
  return parts.map(({ name }) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}-${times}`;
  });
}

/**
 * Transformations one after the other: the updates of one are the gradients of the next.
 *
 * State: that of each part as `PART/STATE`, such as `adamW/first/layers.0.weight`; a part whose name occurs again is
 * `PART-2`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when there is no part.
 */
export function chain(...parts: readonly Optimizer[]): Optimizer {
  if (parts.length === 0) {
    throw new UserLlmError('bad-hyper-parameter', { what: 'chain', expected: 'an optimizer at least', got: 'none' });
  }
  const names = distinctNames(parts);
  const outer = (part: number, tensors: NamedTensors): NamedTensors =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${names[part]}/${name}`, tensor]));
  const inner = (part: number, tensors: NamedTensors): NamedTensors => {
    const prefix = `${names[part]}/`;
    const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  };
  return {
    name: 'chain',
    init: (parameters) =>
      Object.fromEntries(parts.flatMap((part, index) => Object.entries(outer(index, part.init(parameters))))),
    update: (gradients, state, parameters, step) => {
      let updates = gradients;
      const kept: Record<string, NamedTensors[string]> = {};
      parts.forEach((part, index) => {
        const result = part.update(updates, inner(index, state), parameters, step);
        updates = result.updates;
        Object.assign(kept, outer(index, result.state));
      });
      return { updates, state: kept };
    },
  };
}
