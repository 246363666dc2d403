import type { Feeds, Graph, Results, Runtime, Value } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { Tensor } from '@user-llm/tensor';

/** A program whose weights are given once. */
export interface FrozenProgram {
  /**
   * @param feeds All inputs but the weights.
   * @param into Values that outputs are written into, where the runtime can; else new ones come.
   */
  run(
    feeds: Feeds,
    options: { readonly into?: Readonly<Record<string, Value>>; readonly signal?: AbortSignal | undefined },
  ): Promise<Results>;
  dispose(): Promise<void>;
}

/** Makes programs whose weights are given once: as initializers where the runtime has them, else as values that stay there. */
export interface FrozenWeights {
  /** Whether `into` is heeded. */
  readonly inPlace: boolean;
  compile(graph: Graph): Promise<FrozenProgram>;
  dispose(): void;
}

/** Weights by the names of the graphs' inputs, as a runtime keeps them best. */
export function freeze(runtime: Runtime, weights: Readonly<Record<string, Tensor>>): FrozenWeights {
  const own = (graph: Graph): [string, Tensor][] =>
    Object.entries(weights).filter(([name]) => Object.hasOwn(graph.inputs, name));
  if (runtime instanceof OnnxRuntime) {
    return {
      inPlace: true,
      compile: async (graph) => {
        const program = await runtime.compile(graph, Object.fromEntries(own(graph)));
        return {
          run: (feeds, { into, signal }) => program.run(feeds, { ...(into && { into }), ...(signal && { signal }) }),
          dispose: () => program.dispose(),
        };
      },
      dispose: () => undefined,
    };
  }
  const held = new Map<string, Value>();
  const value = ([name, tensor]: [string, Tensor]): [string, Value] => {
    const kept = held.get(name) ?? runtime.value(tensor);
    held.set(name, kept);
    return [name, kept];
  };
  return {
    inPlace: false,
    compile: async (graph) => {
      const program = await runtime.compile(graph);
      const frozen = Object.fromEntries(own(graph).map(value));
      return {
        run: (feeds, { signal }) => program.run({ ...feeds, ...frozen }, signal ? { signal } : {}),
        dispose: async () => {
          await program.dispose();
        },
      };
    },
    dispose: () => {
      for (const kept of held.values()) kept.dispose();
      held.clear();
    },
  };
}
