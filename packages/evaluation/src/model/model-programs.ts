import {
  graph,
  inputName,
  optimize,
  orderedNodes,
  parameterInputs,
  type Graph,
  type NamedTensors,
  type Program,
  type Symbolic,
} from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import type { UserLlmTree } from '@user-llm/user-llm';
import type { ModelInHand } from './model-in-hand.js';

/**
 * A graph of given inputs and of those parameters of a model that its outputs need.
 *
 * @param build The outputs, from the model's parameters.
 */
export function modelGraph(
  { model }: Pick<ModelInHand, 'model'>,
  inputs: readonly Symbolic[],
  build: (tree: UserLlmTree) => NamedTensors,
): Graph {
  const { tree, named } = parameterInputs(model.parameters);
  const outputs = build(tree);
  const read = new Set(orderedNodes(Object.values(outputs)).map((node) => inputName({ node } as Symbolic)));
  return graph(
    [
      ...inputs,
      ...Object.keys(named)
        .filter((name) => read.has(name))
        .map((name) => named[name]!),
    ],
    outputs,
  );
}

/** A graph of a model made ready to run with the model's weights. */
export function compileModel({ runtime, weights }: ModelInHand, source: Graph): Promise<Program> {
  const names = Object.keys(source.inputs).filter((name) => name in weights);
  return runtime.compile(optimize(source), Object.fromEntries(names.map((name) => [name, weights[name]!])));
}

/** Runs a program and takes what comes out, as host tensors. */
export async function runOnHost(
  program: Program,
  feeds: Readonly<Record<string, Tensor>>,
  signal?: AbortSignal,
): Promise<Record<string, Tensor>> {
  const results = await program.run(feeds, signal ? { signal } : {});
  const read = Object.entries(results).map(async ([name, value]) => {
    const tensor = await value.read();
    value.dispose();
    return [name, tensor] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
