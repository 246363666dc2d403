import {
  add,
  matmulTransposed,
  multiply,
  parameter,
  rename,
  type Float,
  type Module,
  type ParameterSpec,
  type ParameterTree,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { dropoutStreams, zeros } from '@user-llm/layers';
import type { LanguageModelHooks, LinearMap } from '@user-llm/plugin';
import type { LoraConfig } from './lora-config.js';
import { loraTargets } from './lora-targets.js';

// I inputs of a map, O its outputs, R rank.

/** What is added to one map: A `[R, I]`, random at first, and B `[O, R]`, 0 at first. */
export type LoraPairParameters = {
  readonly lora_A: { readonly weight: ParameterSpec<readonly ['rank', 'input']> };
  readonly lora_B: { readonly weight: ParameterSpec<readonly ['output', 'rank']> };
};

/** How LoRA is applied. */
export interface LoraOptions {
  /** Changes with every training step; nothing is dropped when it is absent. */
  readonly seed?: Symbolic<'int32', readonly []>;
}

/** Low-rank adapters of an LLM's linear maps; parameters are named `MAP.lora_A.weight` and `MAP.lora_B.weight`. */
export interface LoraModule extends Module {
  /** Names of the adapted maps. */
  readonly targets: readonly string[];
  /** The hooks that add `alpha / rank * B A dropout(x)` to what an adapted map makes of `x`. */
  hooks(parameters: never, options?: LoraOptions): LanguageModelHooks;
  /** As `hooks`. */
  apply(parameters: never, options: LoraOptions): LanguageModelHooks;
}

/** A tree in which the path of a leaf is a dotted name. */
function treeOf(leaves: ReadonlyMap<string, ParameterTree>): ParameterTree {
  const heads = new Map<string, Map<string, ParameterTree>>();
  for (const [name, leaf] of leaves) {
    const dot = name.indexOf('.');
    const head = dot < 0 ? name : name.slice(0, dot);
    const rest = heads.get(head) ?? new Map<string, ParameterTree>();
    heads.set(head, rest.set(dot < 0 ? '' : name.slice(dot + 1), leaf));
  }
  return Object.fromEntries([...heads].map(([head, rest]) => [head, rest.get('') ?? treeOf(rest)]));
}

function pairParameters({ inputs, outputs }: LinearMap, rank: number): LoraPairParameters {
  const initializer = { kind: 'normal', standardDeviation: inputs ** -0.5 } as const;
  return {
    lora_A: { weight: parameter(['rank', 'input'], [rank, inputs], initializer) },
    lora_B: { weight: parameter(['output', 'rank'], [outputs, rank], zeros) },
  };
}

function pairOf(tree: object, name: string): SymbolicParameters<LoraPairParameters> {
  return name
    .split('.')
    .reduce(
      (node, key) => (node as Readonly<Record<string, object>>)[key]!,
      tree,
    ) as SymbolicParameters<LoraPairParameters>;
}

/** What the output of an adapted map is multiplied with before it is added. */
export function loraScale({ alpha, rank }: LoraConfig): number {
  return alpha / rank;
}

/**
 * LoRA (Hu et al. 2021; the strategy LoRA of arXiv 2402.13598): beside each adapted map stands one of low rank, whose
 * second matrix starts at 0, so that nothing is changed at first.
 *
 * @param linearMaps Those of the LLM, by name; their weights are `[outputs, inputs]`.
 * @throws UserLlmError `unknown-target` when a target of the config is not among the maps.
 */
export function lora(config: LoraConfig, linearMaps: Readonly<Record<string, LinearMap>>): LoraModule {
  const targets = loraTargets(config.targets, linearMaps);
  const adapted = new Set(targets);
  const scale = loraScale(config);
  const hooks = (own: object, { seed }: LoraOptions = {}): LanguageModelHooks => ({
    linear: (name, x, mapped) => {
      if (!adapted.has(name)) return mapped;
      const { lora_A, lora_B } = pairOf(own, name);
      const dropped = dropoutStreams(seed, `lora.${name}`)(x, config.dropout);
      const input = rename(dropped as Float<readonly ['batch', 'token', 'x']>, x.axes[2] as 'x', 'input');
      const wide = matmulTransposed(matmulTransposed(input, lora_A.weight), lora_B.weight);
      return add(mapped, multiply(rename(wide, 'output', mapped.axes[2]), scale) as never);
    },
  });
  return {
    targets,
    parameters: treeOf(new Map(targets.map((name) => [name, pairParameters(linearMaps[name]!, config.rank)]))),
    hooks,
    apply: hooks,
  };
}
