import { graph, inputName, type Graph } from '../graph.js';
import { apply } from '../operator.js';
import { input } from '../operators/input.js';
import { matmulOperator, rawMatmul, type MatmulAttributes } from '../operators/matmul.js';
import { rawReshape } from '../operators/reshape.js';
import { splitOperator } from '../operators/split.js';
import { rewriteNodes } from '../rewrite.js';
import type { Node, Symbolic } from '../symbolic.js';

/** A graph whose products of one tensor by several matrices are one product. */
export interface JoinedProducts {
  readonly graph: Graph;
  /** For each input that stands for several matrices `[N, K]`, one under the other: their names, in that order. */
  readonly joined: Readonly<Record<string, readonly string[]>>;
}

/** Products of one tensor, in the order of the graph. */
interface Group {
  readonly nodes: readonly Node[];
  readonly names: readonly string[];
}

/**
 * A graph in which the products of one tensor by several matrices have become one product by all of them, which is cut
 * apart behind it. With few rows a product costs its start as much as its numbers, so one takes less time than several.
 *
 * Joined are matrices that come as inputs `[N, K]` and that nothing else reads.
 *
 * @param kinds Which inputs may be joined, and a kind for each: only those of one kind come together.
 */
export function joinProducts(source: Graph, kinds: Readonly<Record<string, string>>): JoinedProducts {
  const groups = groupsOf(source, kinds);
  const groupOf = new Map(groups.flatMap((group) => group.nodes.map((node) => [node, group] as const)));
  const made = new Map<Group, { readonly matrix: Symbolic; readonly parts: readonly Symbolic[] }>();
  const substitution = rewriteNodes(source.nodes, (node, [left]) => {
    const group = groupOf.get(node);
    if (!group) return undefined;
    if (!made.has(group)) made.set(group, joinedProduct(left!, group));
    const part = made.get(group)!.parts[group.nodes.indexOf(node)]!;
    const [{ axes, shape }] = node.outputs as readonly [Symbolic];
    return [rawReshape(part, axes, shape)];
  });
  const gone = new Set(groups.flatMap(({ names }) => names));
  const kept = Object.entries(source.inputs).flatMap(([name, tensor]) => (gone.has(name) ? [] : [tensor]));
  const matrices = [...made.values()].map(({ matrix }) => matrix);
  return {
    graph: graph([...kept, ...matrices], substitution.ofNamed(source.outputs)),
    joined: Object.fromEntries(groups.map(({ names }) => [joinedName(names), names])),
  };
}

function groupsOf({ nodes, outputs }: Graph, kinds: Readonly<Record<string, string>>): Group[] {
  const readers = new Map<Node, number>();
  for (const tensor of [...nodes.flatMap(({ inputs }) => inputs), ...Object.values(outputs)])
    readers.set(tensor.node, (readers.get(tensor.node) ?? 0) + 1);
  const groups = new Map<string, { nodes: Node[]; names: string[] }>();
  for (const node of nodes) {
    if ((node.operator as unknown) !== matmulOperator) continue;
    const [left, right] = node.inputs as readonly [Symbolic, Symbolic];
    const { transposeLeft, transposeRight, scale } = node.attributes as MatmulAttributes;
    const name = inputName(right);
    const kind = name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const isMatrix = right.shape.length === 2 && right.shape.every((size) => typeof size === 'number');
    if (kind === undefined || !isMatrix || transposeLeft || !transposeRight || readers.get(right.node)! > 1) continue;
    const key = JSON.stringify([left.node.id, left.output, scale, kind]);
    const group = groups.get(key) ?? { nodes: [], names: [] };
    groups.set(key, group);
    group.nodes.push(node);
    group.names.push(name!);
  }
  return [...groups.values()].filter((group) => group.nodes.length > 1);
}

const joinedName = (names: readonly string[]): string => names.join(' + ');

function joinedProduct(left: Symbolic, { nodes, names }: Group) {
  const matrices = nodes.map(({ inputs }) => inputs[1]!);
  const [{ dtype, axes, shape }] = matrices as [Symbolic];
  const sizes = matrices.map((matrix) => matrix.shape[0] as number);
  const rows = sizes.reduce((a, b) => a + b);
  const matrix = input(joinedName(names), dtype, axes, [rows, shape[1]!]);
  const product = rawMatmul(left, matrix, nodes[0]!.attributes as MatmulAttributes);
  return { matrix, parts: apply(splitOperator, [product], { axis: product.axes.length - 1, sizes }) };
}
