import {
  expand,
  inputName,
  optimize,
  type Graph,
  type Node,
  type OnnxEmitter,
  type OnnxOperand,
  type Symbolic,
} from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { Model, ModelNode, ModelValue } from '../onnx-model.js';
import { ModelEmitter } from './emitter.js';
import { fusePackedHeads } from './fuse-packed-heads.js';
import { fuseResiduals, type ModelFacts } from './fuse-residuals.js';
import { runsNodes, withoutUnknownInputs } from './releases.js';

/** What a graph becomes. */
export interface LowerOptions {
  /** Inputs that become initializers in the session's memory, with their shapes. */
  readonly frozen?: Readonly<Record<string, Pick<Tensor, 'shape'>>>;
  /** Inputs that become initializers of the model itself. */
  readonly embedded?: Readonly<Record<string, Tensor>>;
  readonly name?: string;
  /** The release of ONNX Runtime 1 that is to run the model, by its minor number; the newest when absent. */
  readonly release?: number;
}

/**
 * A graph as an ONNX model: composite operators stay whole where a fused form applies, the others are expanded, and
 * what is left is optimised. Where the release has no such form yet, they are expanded too.
 *
 * @throws UserLlmError `unbound-size` when a symbolic size is bound by no input, `bad-graph` for an operator without an ONNX
 *   form.
 */
export function lower(
  source: Graph,
  { frozen = {}, embedded = {}, name = 'graph', release = Infinity }: LowerOptions = {},
): Model {
  const probe = new ModelEmitter(source.inputs);
  const stays = (node: Node): boolean => {
    const before = probe.nodes.length;
    return write(probe, node, () => 'probe') !== undefined && runsNodes(probe.nodes.slice(before), release);
  };
  const graph = optimize(expand(source, stays));
  const fed = Object.entries(graph.inputs).filter(
    ([input]) => !Object.hasOwn(frozen, input) && !Object.hasOwn(embedded, input),
  );
  const emitter = new ModelEmitter(graph.inputs);
  const names = new Map<Node, readonly string[]>();
  const read = ({ node, output }: Symbolic): string => names.get(node)![output]!;
  for (const node of graph.nodes) names.set(node, emitNode(emitter, node, read));
  // ONNX Runtime drops initializers that nothing reads, and then refuses the memory that is meant for them.
  const reads = new Set(
    [...graph.nodes.flatMap(({ inputs }) => inputs), ...Object.values(graph.outputs)].map((x) => x.node),
  );
  const held = Object.entries(graph.inputs).flatMap(([input, { dtype, node }]) =>
    Object.hasOwn(frozen, input) && reads.has(node)
      ? [{ name: input, dtype, shape: frozen[input]!.shape, data: 'memory' as const }]
      : [],
  );
  const inside = Object.entries(embedded).map(([input, tensor]) => ({
    name: input,
    dtype: tensor.dtype,
    shape: tensor.shape,
    data: tensor.contiguous().data,
  }));
  const outputs = Object.entries(graph.outputs);
  const facts = factsOf(names, new Set(outputs.map(([, tensor]) => read(tensor))), release);
  return {
    name,
    inputs: fed.map(([input, tensor]) => toValue(input, tensor)),
    outputs: outputs.map(([output, tensor]) => toValue(output, tensor)),
    initializers: [...held, ...inside, ...emitter.initializers],
    nodes: nameOutputs(
      fuseResiduals(fusePackedHeads(withoutUnknownInputs(emitter.nodes, release), facts.outputs), facts),
      outputs.map(([output, tensor]) => [output, read(tensor)]),
      Object.keys(graph.inputs),
    ),
  };
}

function emitNode(emitter: ModelEmitter, node: Node, read: (tensor: Symbolic) => string): readonly string[] {
  const name = node.outputs.length === 1 ? inputName(node.outputs[0]!) : undefined;
  if (name !== undefined) return [name];
  const made = write(emitter, node, read);
  if (made) return made;
  throw new UserLlmError('bad-graph', {
    what: `operator ${node.operator.name}`,
    expected: 'an ONNX form, or parts that have one',
    got: 'neither',
    mend: 'Give the operator an onnx function that always applies.',
  });
}

/** What the graph knows of the values that its nodes became. */
function factsOf(
  names: ReadonlyMap<Node, readonly string[]>,
  outputs: ReadonlySet<string>,
  release: number,
): ModelFacts {
  const types = new Map<string, ModelValue>();
  for (const [node, values] of names) values.forEach((name, at) => types.set(name, toValue(name, node.outputs[at]!)));
  return { types, outputs, release };
}

/** The names of a node's outputs in its own ONNX form, or nothing where it has none that applies. */
function write(emitter: OnnxEmitter, node: Node, read: (tensor: Symbolic) => string): readonly string[] | undefined {
  const operands = node.inputs.map((tensor): OnnxOperand => ({
    name: read(tensor),
    dtype: tensor.dtype,
    shape: tensor.shape,
  }));
  return node.operator.onnx?.(emitter, operands, node);
}

function toValue(name: string, { dtype, shape }: Symbolic): ModelValue {
  return { name, dtype, shape: shape.map((size) => (typeof size === 'number' ? size : size.text)) };
}

/** The nodes with the graph's output names in place of the emitter's; a copy where a name is taken or an input's. */
function nameOutputs(
  nodes: readonly ModelNode[],
  outputs: readonly (readonly [string, string])[],
  inputs: readonly string[],
): readonly ModelNode[] {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: ModelNode[] = [];
  for (const [output, name] of outputs) {
    if (made.has(name) && !renamed.has(name) && !inputs.includes(output)) renamed.set(name, output);
    else copies.push({ op: 'Identity', inputs: [name], outputs: [output], name: `copy_${output}` });
  }
  const rename = (name: string): string => renamed.get(name) ?? name;
  return [...nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map((name) => (copies.includes(node) ? name : rename(name))),
  }));
}

/** Bytes of a model's own initializers. */
export function embeddedBytes(model: Model): number {
  return (model.initializers ?? []).reduce(
    (bytes, { data }) => bytes + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
}
