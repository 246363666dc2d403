import {
  concat,
  embed,
  linearCrossEntropy,
  matmulTransposed,
  rmsNorm,
  slice,
  type Float,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type {
  BranchStep,
  HiddenStates,
  LanguageModel,
  LanguageModelHooks,
  LanguageModelModule,
  LayerCache,
  LinearMap,
} from '@user-llm/plugin';
import { UserLlmError, type Id } from '@user-llm/tensor';
import { attentionSizes, llamaConfig, parseLlamaConfig, type LlamaConfig } from './config.js';
import { llamaLayer, readAtOnce, readBranches, readFromCaches, type Reading } from './layer.js';
import { layerMaps, llamaParameters, type LlamaLayerParameters, type LlamaParameters } from './parameters.js';

// B batch, L tokens, R rows, D model width, V vocabulary.

type Tree = SymbolicParameters<LlamaParameters>;
type Table = Float<readonly ['vocabulary', 'modelWidth']>;

/** Logits that exist at one time while the loss is computed: 16 MiB of them, where that is not below 256 rows. */
const logitsAtOnce = 2 ** 22;

function build(given: LlamaConfig): LanguageModelModule & { readonly parameters: LlamaParameters } {
  const config = parseLlamaConfig(given);
  const { keyValueHeads, headSize } = attentionSizes(config);
  const { vocabularySize, width, layers, maximumTokens, normEpsilon } = config;
  const table = (tree: Tree): Table =>
    (tree as { readonly lm_head?: { weight: Table } }).lm_head?.weight ?? tree.model.embed_tokens.weight;
  const read = ({ model }: Tree, first_BLD: HiddenStates, reading: Reading, hooks: LanguageModelHooks): HiddenStates =>
    Object.values(model.layers as Readonly<Record<string, SymbolicParameters<LlamaLayerParameters>>>).reduce(
      (x_BLD, own, layer) => llamaLayer(x_BLD, own, layer, reading, config, hooks),
      first_BLD,
    );
  const module = {
    parameters: llamaParameters(config),
    layers,
    modelWidth: width,
    vocabularySize,
    maximumTokens,
    cache: { heads: keyValueHeads, headSize },
    linearMaps: linearMaps(config),
    embed: ({ model }: Tree, token_BL: Symbolic<'int32', readonly ['batch', 'token']>): HiddenStates =>
      embed(model.embed_tokens.weight, token_BL as unknown as Symbolic<Id<'vocabulary'>, readonly ['batch', 'token']>),
    hidden: (tree: Tree, { tokens, hooks = {} }: Parameters<LanguageModelModule['hidden']>[1]): HiddenStates => {
      const token_BLD = module.embed(tree, tokens);
      const first_BLD = hooks.prefix ? concat([hooks.prefix, token_BLD], 'token') : token_BLD;
      requireLength('hidden', first_BLD, config);
      const all_BLD = read(tree, first_BLD, readAtOnce(first_BLD, config), hooks);
      const last_BLD = hooks.prefix ? slice(all_BLD, 'token', hooks.prefix.shape[1]!) : all_BLD;
      return rmsNorm(last_BLD, tree.model.norm.weight, normEpsilon);
    },
    decode: (tree: Tree, { embeddings, lengths, caches, hooks = {} }: Parameters<LanguageModelModule['decode']>[1]) => {
      requireCaches('decode', caches, layers);
      const grown: LayerCache[] = [];
      const reading = readFromCaches(embeddings, lengths, caches, grown, config);
      const last_BLD = read(tree, embeddings, reading, hooks);
      return { hidden: rmsNorm(last_BLD, tree.model.norm.weight, normEpsilon), caches: grown };
    },
    branch: (tree: Tree, step: BranchStep) => {
      requireCaches('branch', step.caches ?? [], step.caches ? layers : 0);
      const grown: LayerCache[] = [];
      const last_BLD = read(tree, step.embeddings, readBranches(step, grown, config), step.hooks ?? {});
      return { hidden: rmsNorm(last_BLD, tree.model.norm.weight, normEpsilon), caches: grown };
    },
    logits: (tree: Tree, hidden_RD: Float<readonly ['row', 'modelWidth']>): Float<readonly ['row', 'vocabulary']> =>
      matmulTransposed(hidden_RD, table(tree)),
    loss: (
      tree: Tree,
      hidden_RD: Float<readonly ['row', 'modelWidth']>,
      labels_R: Symbolic<'int32', readonly ['row']>,
    ) =>
      linearCrossEntropy<readonly ['row'], 'modelWidth', 'vocabulary'>(hidden_RD, table(tree), labels_R, {
        ignore: -100,
        rowsAtOnce: Math.max(256, Math.ceil(logitsAtOnce / vocabularySize)),
      }),
    apply: (tree: Tree, batch: Parameters<LanguageModelModule['apply']>[1]) =>
      matmulTransposed(module.hidden(tree, batch), table(tree)),
  };
  return module as unknown as LanguageModelModule & { readonly parameters: LlamaParameters };
}

function linearMaps(config: LlamaConfig): Readonly<Record<string, LinearMap>> {
  const maps = Object.entries(layerMaps(config));
  return Object.fromEntries(
    Array.from({ length: config.layers }, (_, layer) =>
      maps.map(([path, map]) => [`model.layers.${layer}.${path}`, map] as const),
    ).flat(),
  );
}

function requireCaches(what: string, caches: readonly LayerCache[], layers: number): void {
  if (caches.length === layers) return;
  throw new UserLlmError('bad-argument', { what, expected: `caches of ${layers} layers`, got: `${caches.length}` });
}

function requireLength(what: string, x_BLD: HiddenStates, { maximumTokens }: LlamaConfig): void {
  const tokens = x_BLD.shape[1];
  if (typeof tokens !== 'number' || tokens <= maximumTokens) return;
  throw new UserLlmError('too-many-tokens', {
    what,
    expected: `at most ${maximumTokens} positions, a soft prompt's included`,
    got: `${tokens}`,
    mend: 'Shorten the text, or build the model with a larger maximumTokens.',
  });
}

/**
 * Llama (Touvron et al. 2023): grouped-query attention, rotary positions, SwiGLU, RMS norms, no dropout. Parameters are
 * named as in Hugging Face's checkpoints.
 */
export const llama = {
  specVersion: 1,
  name: 'llama',
  config: llamaConfig,
  build,
  checkpointNames: () => ({}),
} as const satisfies LanguageModel<LlamaConfig>;
