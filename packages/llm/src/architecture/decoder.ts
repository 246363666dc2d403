import {
  add,
  concat,
  embed,
  gather,
  linearCrossEntropy,
  matmulTransposed,
  minimum,
  multiply,
  rotaryTables,
  slice,
  softCap,
  type Float,
  type RotaryOptions,
  type RotaryTables,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { BranchStep, HiddenStates, LanguageModelHooks, LanguageModelModule, LayerCache } from '@user-llm/plugin';
import { UserLlmError, type Axes, type Id } from '@user-llm/tensor';
import type { DecoderDescription } from './description.js';
import { decoderLayer, normalized } from './layer.js';
import { decoderMaps, decoderParameters, type DecoderLayerParameters, type DecoderParameters } from './parameters.js';
import { readAtOnce, readBranches, readFromCaches, type Reading } from './reading.js';

// B batch, L tokens, R rows, D model width, V vocabulary.

type Tree = SymbolicParameters<DecoderParameters>;
type Table = Float<readonly ['vocabulary', 'modelWidth']>;
type Rows = Float<readonly ['row', 'modelWidth']>;

/** A decoder with its parameters by their types. */
export type DecoderModule = LanguageModelModule & { readonly parameters: DecoderParameters };

/** Logits that exist at one time while the loss is computed: 16 MiB of them, where that is not below 256 rows. */
const logitsAtOnce = 2 ** 22;

/** Cosines, and as many sines, that are kept for attention to turn by: 16 MiB of them. */
const mostTurns = 2 ** 22;

/** The graphs of a decoder-only Transformer, with all hooks. */
export function buildDecoder(description: DecoderDescription): DecoderModule {
  const { vocabularySize, width, layers, maximumTokens, embeddingScale, logitSoftCap, keyValueHeads, headSize } =
    description;
  const table = (tree: Tree): Table =>
    (tree as { readonly lm_head?: { weight: Table } }).lm_head?.weight ?? tree.model.embed_tokens.weight;
  const capped = <A extends Axes>(logits: Float<A>): Float<A> =>
    logitSoftCap ? softCap(logits, logitSoftCap) : logits;

  const tables = new Map<RotaryOptions, RotaryTables>();
  const tablesOf = (turn: RotaryOptions): RotaryTables | undefined => {
    if (maximumTokens * turn.frequencies.length > mostTurns) return undefined;
    // An idle slot that is full is read one position further.
    const known = tables.get(turn) ?? rotaryTables(maximumTokens + 1, turn);
    tables.set(turn, known);
    return known;
  };

  /** Hidden states behind all layers and the last norm. */
  const read = (
    { model }: Tree,
    first_BLD: HiddenStates,
    reading: Reading,
    hooks: LanguageModelHooks,
  ): HiddenStates => {
    const own = Object.values(model.layers as Readonly<Record<string, SymbolicParameters<DecoderLayerParameters>>>);
    const last_BLD = own.reduce(
      (x_BLD, parameters, layer) => decoderLayer(x_BLD, { own: parameters, layer, reading, description, hooks }),
      withPositions(model, first_BLD, reading, description),
    );
    return normalized<['batch', 'token'], 'modelWidth'>(last_BLD, model.norm as never, description.norm);
  };

  const module = {
    parameters: decoderParameters(description),
    layers: layers.length,
    modelWidth: width,
    vocabularySize,
    maximumTokens,
    cache: { heads: keyValueHeads, headSize },
    linearMaps: decoderMaps(description),
    embed: ({ model }: Tree, token_BL: Symbolic<'int32', readonly ['batch', 'token']>): HiddenStates => {
      const ids = token_BL as unknown as Symbolic<Id<'vocabulary'>, readonly ['batch', 'token']>;
      const embedded_BLD = embed(model.embed_tokens.weight, ids);
      return embeddingScale ? multiply(embedded_BLD, embeddingScale) : embedded_BLD;
    },
    hidden: (tree: Tree, { tokens, hooks = {} }: Parameters<LanguageModelModule['hidden']>[1]): HiddenStates => {
      const token_BLD = module.embed(tree, tokens);
      const first_BLD = hooks.prefix ? concat([hooks.prefix, token_BLD], 'token') : token_BLD;
      requireLength('hidden', first_BLD, maximumTokens);
      const all_BLD = read(tree, first_BLD, readAtOnce(first_BLD), hooks);
      return hooks.prefix ? slice(all_BLD, 'token', hooks.prefix.shape[1]!) : all_BLD;
    },
    decode: (tree: Tree, { embeddings, lengths, caches, hooks = {} }: Parameters<LanguageModelModule['decode']>[1]) => {
      requireCaches('decode', caches, layers.length);
      const grown: LayerCache[] = [];
      const reading = readFromCaches(embeddings, { lengths, caches, grown, tablesOf });
      return { hidden: read(tree, embeddings, reading, hooks), caches: grown };
    },
    branch: (tree: Tree, step: BranchStep) => {
      requireCaches('branch: caches', step.caches, layers.length);
      requireCaches('branch: branches', step.branches, layers.length);
      const grown: LayerCache[] = [];
      return { hidden: read(tree, step.embeddings, readBranches(step, grown), step.hooks ?? {}), branches: grown };
    },
    logits: (tree: Tree, hidden_RD: Rows): Float<readonly ['row', 'vocabulary']> =>
      capped(matmulTransposed(hidden_RD, table(tree))),
    loss: (tree: Tree, hidden_RD: Rows, labels_R: Symbolic<'int32', readonly ['row']>) =>
      linearCrossEntropy<readonly ['row'], 'modelWidth', 'vocabulary'>(hidden_RD, table(tree), labels_R, {
        ignore: -100,
        rowsAtOnce: Math.max(256, Math.ceil(logitsAtOnce / vocabularySize)),
        ...(logitSoftCap && { softCap: logitSoftCap }),
      }),
    apply: (tree: Tree, batch: Parameters<LanguageModelModule['apply']>[1]) =>
      capped(matmulTransposed(module.hidden(tree, batch), table(tree))),
  };
  return module as unknown as DecoderModule;
}

/** What enters the first layer: with the table of positions added, where there is one. */
function withPositions(
  model: Tree['model'],
  first_BLD: HiddenStates,
  { positions }: Reading,
  { learnedPositions, maximumTokens }: DecoderDescription,
): HiddenStates {
  if (!learnedPositions) return first_BLD;
  type Positions = { readonly embed_positions: { readonly weight: Float<readonly ['position', 'modelWidth']> } };
  const { weight } = (model as unknown as Positions).embed_positions;
  // What fills up a row behind a cache may stand beyond the table; nothing reads it.
  const within = positions.axes.length === 2 ? minimum(positions as Symbolic<'int32'>, maximumTokens - 1) : positions;
  return add(first_BLD, gather(weight, within as Symbolic<'int32', readonly ['token']>) as never);
}

function requireCaches(what: string, caches: readonly LayerCache[], layers: number): void {
  if (caches.length === layers) return;
  throw new UserLlmError('bad-argument', { what, expected: `caches of ${layers} layers`, got: `${caches.length}` });
}

function requireLength(what: string, x_BLD: HiddenStates, maximumTokens: number): void {
  const tokens = x_BLD.shape[1];
  if (typeof tokens !== 'number' || tokens <= maximumTokens) return;
  throw new UserLlmError('too-many-tokens', {
    what,
    expected: `at most ${maximumTokens} positions, a soft prompt's included`,
    got: `${tokens}`,
    mend: 'Shorten the text, or build the model with a larger maximumTokens.',
  });
}
