import type { Cost } from './cost.js';
import type { Graph } from './graph.js';
import type { ConcreteType } from './operator.js';
import { expand } from './passes/expand.js';
import { evaluateShape, type SizeBindings } from './size.js';
import type { TensorType } from './symbolic.js';

/** What running a graph once takes. */
export interface GraphCost extends Cost {
  /** The part of each operator, by its name; `nodes` is how often it occurs. */
  readonly byOperator: Readonly<Record<string, Cost & { readonly nodes: number }>>;
}

/** Values of named sizes, as a map or an object. */
export type Bindings = SizeBindings | Readonly<Record<string, number>>;

/**
 * Floating-point operations and bytes moved of one run of a graph, from those of its primitive operators: what the
 * graph asks for, whatever a runtime fuses.
 *
 * @param bindings Values of the symbolic sizes, such as `{ batch: 8 }`.
 * @throws UserLlmError `unbound-size` when one of them has no value.
 */
export function cost(graph: Graph, bindings: Bindings = {}): GraphCost {
  const sizes: SizeBindings = bindings instanceof Map ? bindings : new Map(Object.entries(bindings));
  const concrete = ({ dtype, shape }: TensorType): ConcreteType => ({ dtype, shape: evaluateShape(shape, sizes) });
  const byOperator: Record<string, Cost & { readonly nodes: number }> = {};
  let flops = 0;
  let bytes = 0;
  for (const { operator, inputs, outputs, attributes } of expand(graph).nodes) {
    if (operator.kind !== 'primitive') continue;
    const own = operator.cost(inputs.map(concrete), outputs.map(concrete), attributes);
    const sofar = byOperator[operator.name] ?? { flops: 0, bytes: 0, nodes: 0 };
    byOperator[operator.name] = {
      flops: sofar.flops + own.flops,
      bytes: sofar.bytes + own.bytes,
      nodes: sofar.nodes + 1,
    };
    flops += own.flops;
    bytes += own.bytes;
  }
  return { flops, bytes, byOperator };
}

/** The floating-point operations of one run of a graph; a multiply-add is two. Arguments and errors as `cost`. */
export function flops(graph: Graph, bindings: Bindings = {}): number {
  return cost(graph, bindings).flops;
}
