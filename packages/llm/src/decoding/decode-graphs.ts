import {
  add,
  addSizes,
  broadcastLike,
  concat,
  constant,
  gather,
  graph,
  input,
  logSoftmax,
  multiply,
  parameterInputs,
  range,
  reshape,
  sizeValue,
  subtract,
  symbol,
  multiplySizes,
  type Float,
  type Graph,
  type KeyValueCache,
  type NamedTensors,
  type ParameterTree,
  type Size,
  type Symbolic,
} from '@user-llm/graph';
import type { HiddenStates, LanguageModelHooks, LanguageModelModule, LayerCache } from '@user-llm/plugin';
import { Tensor, UserLlmError } from '@user-llm/tensor';

// B batch (slots), L new tokens, P places, N key heads, S head size, D model width, V vocabulary.

/** What an LLM reads beside its tokens, such as keys and values of a user, and how. */
export interface DecoderContext {
  /** Parameters that the hooks read, such as those of a fusion or of LoRA. */
  readonly parameters?: ParameterTree;
  /** Inputs of the hooks, made by `input` under the names of the record; the first axis of each is `batch`. */
  inputs(batch: Size): NamedTensors;
  /** The hooks; `parameters` are those above as symbolic tensors, in the same tree. */
  hooks(parameters: never, inputs: NamedTensors): LanguageModelHooks;
}

/** Names of the caches' inputs; outputs are `next/NAME`. */
export function cacheNames(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => [`keys/${layer}`, `values/${layer}`]).flat();
}

/** The prefix of names of the LLM's own weights among the inputs; those of the context have `contextWeights`. */
export const llmWeights = 'llm.';
export const contextWeights = 'context.';
/** The prefix of names of the branch tokens' caches among the inputs. */
export const branchPrefix = 'branch/';

/** What all graphs of a decoder share. */
interface Parts {
  readonly llm: LanguageModelModule;
  readonly tree: never;
  readonly hooks: LanguageModelHooks;
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  readonly batch: Size;
  /** Inputs for the tokens, of the context and of the weights. */
  readonly inputs: readonly Symbolic[];
}

function partsOf(llm: LanguageModelModule, context: DecoderContext | undefined, count: Size): Parts {
  const batch = symbol('batch');
  const tokens = input('tokens', 'int32', ['batch', 'token'], [batch, count]);
  const { tree, named } = parameterInputs({ llm: llm.parameters, context: context?.parameters ?? {} });
  const given = context?.inputs(batch) ?? {};
  const hooks = context?.hooks(tree.context as never, given) ?? {};
  return {
    llm,
    tree: tree.llm as never,
    hooks,
    tokens,
    batch,
    inputs: [tokens, ...Object.values(given), ...Object.values(named)],
  };
}

function cacheInputs({ llm, batch }: Parts, places: Size, prefix = ''): { caches: LayerCache[]; inputs: Symbolic[] } {
  const inputs = cacheNames(llm.layers).map((name) => cacheInput(`${prefix}${name}`, llm, batch, places));
  const caches = Array.from({ length: llm.layers }, (_, layer) => ({
    keys: inputs[2 * layer]!,
    values: inputs[2 * layer + 1]!,
  }));
  return { caches, inputs };
}

function cacheInput(name: string, { cache }: LanguageModelModule, batch: Size, places: Size): KeyValueCache<'batch'> {
  const axes = ['batch', 'keyValueHead', 'place', 'headSize'] as const;
  return input(name, 'float32', axes, [batch, cache.heads, places, cache.headSize]);
}

function cacheOutputs(caches: readonly LayerCache[]): NamedTensors {
  const tensors = caches.flatMap(({ keys, values }) => [keys, values]);
  return Object.fromEntries(cacheNames(caches.length).map((name, at) => [`next/${name}`, tensors[at]!]));
}

/** Logits `[row, vocabulary]` at one position of each row. */
function logitsAt(
  { llm, tree, batch }: Parts,
  hidden_BLD: HiddenStates,
  place_B: Symbolic<'int32', readonly ['row']>,
): Float<readonly ['row', 'vocabulary']> {
  const count = hidden_BLD.shape[1]!;
  const flat_RD = reshape(hidden_BLD, ['flat', 'modelWidth'], [multiplySizes(batch, count), llm.modelWidth]);
  const first_B = multiply(range('row', batch), sizeValue(count));
  return llm.logits(tree, gather(flat_RD, add(first_B, place_B)));
}

const asRows = (x: Symbolic<'int32', readonly ['batch']>, batch: Size): Symbolic<'int32', readonly ['row']> =>
  reshape(x, ['row'], [batch]);

/** Positions that the hooks put before tokens. */
export function prefixTokens(llm: LanguageModelModule, context: DecoderContext | undefined): number {
  const size = partsOf(llm, context, symbol('token')).hooks.prefix?.shape[1] ?? 0;
  if (typeof size === 'number') return size;
  throw new UserLlmError('bad-argument', {
    what: 'prefix',
    expected: 'a size known when the graph is built',
    got: String(size),
  });
}

/**
 * Reads prompts from their start: inputs `tokens` `[B, L]`, `counts` `[B]`, and `room`, an empty cache `[B, N, P, S]`;
 * outputs `logits` and the caches.
 */
export function prefillGraph(llm: LanguageModelModule, context: DecoderContext | undefined): Graph {
  const parts = partsOf(llm, context, symbol('token'));
  const { tokens, batch, hooks, tree } = parts;
  const counts = input('counts', 'int32', ['batch'], [batch]);
  const room = cacheInput('room', llm, batch, symbol('room'));
  const token_BLD = llm.embed(tree, tokens);
  const first_BLD = hooks.prefix ? concat([hooks.prefix, token_BLD], 'token') : token_BLD;
  const size = first_BLD.shape[1]!;
  const none = constant(new Tensor('int32', [], [], new Int32Array(1)));
  const lengths = broadcastLike(none, range('batch', batch));
  const empty = Array.from({ length: llm.layers }, () => ({ keys: room, values: room }));
  const { hidden, caches } = llm.decode(tree, { embeddings: first_BLD, lengths, caches: empty, hooks });
  const last_B = add(subtract(asRows(counts, batch), 1), subtract(sizeValue(size), sizeValue(tokens.shape[1]!)));
  return graph([...parts.inputs, counts, room], { logits: logitsAt(parts, hidden, last_B), ...cacheOutputs(caches) });
}

/**
 * Reads on in slots: inputs `tokens` `[B, L]`, `lengths` `[B]`, `counts` `[B]` of tokens that count in each row, and
 * the caches; outputs `logits` and the caches.
 *
 * @param one Whether there is one token per slot; no `counts` then.
 */
export function stepGraph(llm: LanguageModelModule, context: DecoderContext | undefined, one: boolean): Graph {
  const parts = partsOf(llm, context, one ? 1 : symbol('token'));
  const { tokens, batch, hooks, tree } = parts;
  const lengths = input('lengths', 'int32', ['batch'], [batch]);
  const counts = one ? undefined : input('counts', 'int32', ['batch'], [batch]);
  const given = cacheInputs(parts, symbol('place'));
  const embeddings = llm.embed(tree, tokens);
  const { hidden, caches } = llm.decode(tree, { embeddings, lengths, caches: given.caches, hooks });
  const last_B = counts ? subtract(asRows(counts, batch), 1) : multiply(range('row', batch), 0);
  const inputs = [...parts.inputs, lengths, ...(counts ? [counts] : []), ...given.inputs];
  return graph(inputs, { logits: logitsAt(parts, hidden, last_B), ...cacheOutputs(caches) });
}

/**
 * Reads tokens that branch: inputs `tokens` and `positions` `[B, L]`, `mask` `[B, L, P + C + L]`, the caches of P places
 * and, under `branch/NAME`, those of the C branch tokens before; outputs `logProbabilities` `[B, L, V]` and
 * `next/NAME`, the branch tokens' caches alone, grown by the new tokens.
 */
export function branchGraph(llm: LanguageModelModule, context: DecoderContext | undefined): Graph {
  const count = symbol('token');
  const places = symbol('place');
  const earlier = symbol('branch');
  const parts = partsOf(llm, context, count);
  const { tokens, batch, hooks, tree } = parts;
  const positions = input('positions', 'int32', ['batch', 'token'], [batch, count]);
  const readable = addSizes(places, addSizes(earlier, count));
  const mask = input('mask', 'bool', ['batch', 'token', 'place'], [batch, count, readable]);
  const given = cacheInputs(parts, places);
  const before = cacheInputs(parts, earlier, branchPrefix);
  const embeddings = llm.embed(tree, tokens);
  const step = { embeddings, positions, mask, caches: given.caches, branches: before.caches, hooks };
  const { hidden, branches } = llm.branch!(tree, step);
  const flat = reshape(hidden, ['row', 'modelWidth'], [multiplySizes(batch, count), llm.modelWidth]);
  const chances = logSoftmax(llm.logits(tree, flat), 'vocabulary');
  const logProbabilities = reshape(chances, ['batch', 'token', 'vocabulary'], [batch, count, llm.vocabularySize]);
  const inputs = [...parts.inputs, positions, mask, ...given.inputs, ...before.inputs];
  return graph(inputs, { logProbabilities, ...cacheOutputs(branches) });
}

/** Rows of caches and contexts chosen by `rows` `[row]` out of one or two sets of slots; inputs `PART/NAME`, outputs `NAME`. */
export function arrangeGraph(llm: LanguageModelModule, context: DecoderContext | undefined, parts: 1 | 2): Graph {
  const rows = input('rows', 'int32', ['row'], [symbol('row')]);
  const places = symbol('place');
  const sources = Array.from({ length: parts }, (_, part) => {
    const batch = symbol(`batch${part}`);
    const own = [
      ...cacheNames(llm.layers).map((name) => [name, cacheInput(name, llm, batch, places)] as const),
      ...Object.entries(context?.inputs(batch) ?? {}),
    ];
    return own.map(
      ([name, { dtype, axes, shape }]) => [name, input(`${part}/${name}`, dtype, axes, shape as never)] as const,
    );
  });
  const outputs = sources[0]!.map(([name, first], at) => {
    const all = sources[1] ? concat([first, sources[1][at]![1]], 'batch') : first;
    const taken = gather(all as Symbolic<'float32', readonly ['batch', 'rest']>, rows);
    return [name, reshape(taken, first.axes, [symbol('row'), ...first.shape.slice(1)])] as const;
  });
  return graph([rows, ...sources.flat().map(([, tensor]) => tensor)], Object.fromEntries(outputs));
}
