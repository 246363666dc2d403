import {
  holdScores,
  sameSize,
  symbol,
  type Feeds,
  type Graph,
  type Program,
  type Results,
  type Runtime,
  type Size,
  type Value,
} from '@user-llm/graph';
import type { LanguageModelModule } from '@user-llm/plugin';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { Weight } from '../quantization/quantized-matrix.js';
import { BoundWeights, type Accuracy } from './bound-weights.js';
import { branchMask } from './branch-mask.js';
import { checkedWeights } from './checked-weights.js';
import {
  arrangeGraph,
  branchGraph,
  branchPrefix,
  cacheNames,
  contextWeights,
  llmWeights,
  prefillGraph,
  prefixTokens,
  stepGraph,
  type DecoderContext,
} from './decode-graphs.js';
import type {
  BranchTokens,
  Branches,
  ContextValues,
  DecodeStepper,
  PrefillOptions,
  LogitsOptions,
  Slots,
  StepOptions,
} from './decode-stepper.js';
import { DecoderBranches, DecoderSlots, ownSlots } from './decoder-slots.js';
import { cacheAxes, counts, int32, ownedOf, padded, taken } from './decoder-tensors.js';

/** What a decoder is made of. */
export interface DecoderOptions {
  readonly llm: LanguageModelModule;
  /** The LLM's parameters by their names; matrices may be of few bits. */
  readonly weights: Readonly<Record<string, Weight>>;
  readonly runtime: Runtime;
  /** How exactly products with matrices of few bits are computed: `int8`, as llama.cpp does it, unless told. */
  readonly accuracy?: Accuracy;
  /**
   * Whether matrices of few bits are kept in their blocks alone. Otherwise, where products are in `int8` and the runtime
   * has `integerProducts`, several tokens at once (prompts, `extend`, `branch`) are read by a second form of each matrix,
   * in 8 bits with a scale for each row: faster, and one or two bytes more for each number of a matrix, which the first
   * such call makes.
   */
  readonly compact?: boolean;
  /** What the LLM reads beside tokens; nothing when absent. */
  readonly context?: DecoderContext;
  /** Values of the context's parameters by their names. */
  readonly contextWeights?: Readonly<Record<string, Tensor>>;
}

/**
 * A decoder that runs an LLM on a runtime, with weights that are given once, caches that steps write onto themselves
 * (in place on ONNX Runtime, where head sizes are multiples of 16), and logits of last positions alone.
 *
 * Programs are compiled when first needed; their sizes are symbolic, so each is compiled once.
 *
 * @throws UserLlmError `missing-weight`, and `shape-mismatch` for a weight of another shape.
 */
export function createDecoder(options: DecoderOptions): DecodeStepper {
  return new Decoder(options);
}

/**
 * Prompts are read with all scores at once, one for each token and each position that there is room for, up to so many:
 * 8 MiB for each head.
 */
const heldScores = 2 ** 21;

/** Whether a product has a row for each token, where it could have one for each sequence. */
const rowPerToken = (rows: Size): boolean => !sameSize(rows, symbol('batch'));

type ProgramName = 'prefill' | 'longPrefill' | 'step' | 'extend' | 'branch' | 'arrange1' | 'arrange2';

class Decoder implements DecodeStepper {
  readonly vocabularySize: number;
  readonly maximumTokens: number;
  readonly prefixTokens: number;
  readonly branch?: NonNullable<DecodeStepper['branch']>;
  readonly #llm: LanguageModelModule;
  readonly #context: DecoderContext | undefined;
  readonly #contextNames: readonly string[];
  readonly #runtime: Runtime;
  readonly #secondForms: boolean;
  readonly #weights: BoundWeights;
  readonly #programs = new Map<ProgramName, Promise<Program>>();

  constructor({ llm, weights, runtime, context, contextWeights: more = {}, ...rest }: DecoderOptions) {
    const { accuracy = 'int8', compact = false } = rest;
    this.vocabularySize = llm.vocabularySize;
    this.maximumTokens = llm.maximumTokens;
    this.prefixTokens = prefixTokens(llm, context);
    this.#llm = llm;
    this.#context = context;
    this.#contextNames = Object.keys(context?.inputs(1) ?? {});
    this.#runtime = runtime;
    const checked = {
      ...checkedWeights(llm.parameters, weights, llmWeights, runtime.quantizedProducts ?? false),
      ...checkedWeights(context?.parameters ?? {}, more, contextWeights, false),
    };
    this.#secondForms = !compact && (runtime.integerProducts ?? false);
    this.#weights = new BoundWeights(checked, accuracy);
    if (llm.branch) this.branch = (...given) => this.#branch(...given);
  }

  async prefill(prompts: readonly (readonly number[])[], options: PrefillOptions = {}) {
    const { room = this.maximumTokens, context = {}, signal } = options;
    const longest = this.#requireTokens('prefill', prompts);
    const positions = this.prefixTokens + longest;
    this.#requireRoom('prompt', positions, Math.min(room, this.maximumTokens));
    const values = this.#contextValues(context, prompts.length);
    const { heads, headSize } = this.#llm.cache;
    const zeros = this.#runtime.value(
      new Tensor('float32', cacheAxes, [prompts.length, heads, room + 1, headSize]) as Tensor,
    );
    const results = await this.#run(
      prompts.length * positions * (room + 1) <= heldScores ? 'prefill' : 'longPrefill',
      {
        tokens: padded(prompts, longest),
        counts: counts(prompts),
        room: zeros,
        ...values,
      },
      signal,
    ).finally(() => {
      zeros.dispose();
    });
    const lengths = prompts.map((prompt) => this.prefixTokens + prompt.length);
    const slots = new DecoderSlots(lengths, room, this.#caches(results), values, ownedOf(values, context));
    slots.keepLogits(results['logits']!);
    return { slots, logits: (await results['logits']!.read()) as Tensor<'float32'> };
  }

  async step(slots: Slots, tokens: readonly number[], { signal, reuse }: LogitsOptions = {}) {
    const own = ownSlots(slots);
    own.require('step', tokens.length);
    this.#requireTokens(
      'step',
      tokens.map((token) => [Math.max(token, 0)]),
    );
    tokens.forEach((token, slot) => {
      if (token >= 0) this.#requireRoom('step', own.lengths[slot]! + 1, Math.min(own.room, this.maximumTokens));
    });
    const feeds = {
      tokens: padded(
        tokens.map((token) => [Math.max(token, 0)]),
        1,
      ),
      lengths: int32(own.lengths),
      ...own.caches,
      ...own.context,
    };
    const results = await this.#run('step', feeds, signal, own.written);
    tokens.forEach((token, slot) => {
      if (token >= 0) own.lengths[slot]!++;
    });
    own.keepLogits(results['logits']!);
    return (await results['logits']!.read(reuse)) as Tensor<'float32'>;
  }

  async extend(slots: Slots, tokens: readonly (readonly number[])[], { signal, reuse }: LogitsOptions = {}) {
    const own = ownSlots(slots);
    own.require('extend', tokens.length);
    const longest = this.#requireTokens('extend', tokens);
    tokens.forEach((more, slot) => {
      this.#requireRoom('extend', own.lengths[slot]! + more.length, Math.min(own.room, this.maximumTokens));
    });
    const feeds = {
      tokens: padded(tokens, longest),
      lengths: int32(own.lengths),
      counts: counts(tokens),
      ...own.caches,
      ...own.context,
    };
    const results = await this.#run('extend', feeds, signal);
    this.#replaceCaches(own, results);
    tokens.forEach((more, slot) => (own.lengths[slot]! += more.length));
    return taken(results['logits']!, reuse);
  }

  async arrange(parts: readonly { readonly slots: Slots; readonly rows: readonly number[] }[]): Promise<Slots> {
    const [first, second, ...more] = parts;
    if (!first)
      throw new UserLlmError('bad-argument', { what: 'arrange', expected: 'at least one set of slots', got: 'none' });
    if (second && more.length > 0) {
      const joined = await this.arrange([first, second]);
      const rows = joined.lengths.map((_, row) => row);
      return this.arrange([{ slots: joined, rows }, ...more]).finally(() => {
        joined.dispose();
      });
    }
    const sets = (second ? [first, second] : [first]).map(({ slots, rows }) => ({ own: ownSlots(slots), rows }));
    const { room } = sets[0]!.own;
    const feeds: Record<string, Tensor | Value> = {};
    const rows: number[] = [];
    const lengths: number[] = [];
    let offset = 0;
    sets.forEach(({ own, rows: chosen }, part) => {
      own.require('arrange');
      if (own.room !== room || chosen.some((row) => own.lengths[row] === undefined))
        throw new UserLlmError('bad-argument', {
          what: 'arrange',
          expected: `slots with room for ${room} positions and rows among them`,
          got: `room for ${own.room}, rows ${chosen.join(', ')} of ${own.lengths.length}`,
        });
      for (const [name, value] of Object.entries({ ...own.caches, ...own.context })) feeds[`${part}/${name}`] = value;
      for (const row of chosen) rows.push(offset + row);
      for (const row of chosen) lengths.push(own.lengths[row]!);
      offset += own.lengths.length;
    });
    const results = await this.#run(
      second ? 'arrange2' : 'arrange1',
      { ...feeds, rows: int32(rows, 'row') },
      undefined,
    );
    const pick = (names: readonly string[]): Record<string, Value> =>
      Object.fromEntries(names.map((name) => [name, results[name]!]));
    const context = pick(this.#contextNames);
    return new DecoderSlots(lengths, room, pick(cacheNames(this.#llm.layers)), context, Object.values(context));
  }

  async #branch(slots: Slots, { tokens, parents }: BranchTokens, branches?: Branches, { signal }: StepOptions = {}) {
    const own = ownSlots(slots);
    own.require('branch', tokens.length);
    const width = this.#requireTokens('branch', tokens);
    if (tokens.some((row) => row.length !== width) || parents.some((row) => row.length !== width))
      throw new UserLlmError('bad-argument', {
        what: 'branch',
        expected: 'as many tokens for each slot, with a parent each',
      });
    const before = branches as DecoderBranches | undefined;
    const grown = branchMask(own, before?.lines, parents, this.maximumTokens);
    const { heads, headSize } = this.#llm.cache;
    const none = new Tensor('float32', cacheAxes, [tokens.length, heads, 0, headSize]) as Tensor;
    const feeds = {
      tokens: padded(tokens, width),
      positions: grown.positions,
      mask: grown.mask,
      ...own.caches,
      ...Object.fromEntries(
        cacheNames(this.#llm.layers).map((name) => [`${branchPrefix}${name}`, before?.caches[name] ?? none]),
      ),
      ...own.context,
    };
    const results = await this.#run('branch', feeds, signal).finally(() => before?.dispose());
    const next = new DecoderBranches((before?.count ?? 0) + width, this.#caches(results), grown.lines);
    return { branches: next, logProbabilities: await taken(results['logProbabilities']!) };
  }

  async dispose(): Promise<void> {
    const programs = await Promise.all(this.#programs.values());
    this.#programs.clear();
    await Promise.all(programs.map((program) => program.dispose()));
  }

  async #run(
    name: ProgramName,
    feeds: Feeds,
    signal: AbortSignal | undefined,
    into?: Readonly<Record<string, Value>>,
  ): Promise<Results> {
    const compiling = this.#programs.get(name) ?? this.#compile(this.#graph(name));
    this.#programs.set(name, compiling);
    const program = await compiling.catch((error: unknown) => {
      this.#programs.delete(name);
      throw error;
    });
    return program.run(feeds, { ...(into && { into }), ...(signal && { signal }) });
  }

  async #compile(source: Graph): Promise<Program> {
    const { graph, frozen } = await this.#weights.bind(source, this.#secondForms ? rowPerToken : undefined);
    return this.#runtime.compile(graph, frozen);
  }

  #graph(name: ProgramName): Graph {
    const [llm, context] = [this.#llm, this.#context];
    switch (name) {
      case 'prefill':
        return holdScores(prefillGraph(llm, context));
      case 'longPrefill':
        return prefillGraph(llm, context);
      case 'step':
        return stepGraph(llm, context, true);
      case 'extend':
        return stepGraph(llm, context, false);
      case 'branch':
        return branchGraph(llm, context);
      case 'arrange1':
        return arrangeGraph(llm, context, 1);
      case 'arrange2':
        return arrangeGraph(llm, context, 2);
    }
  }

  #caches(results: Results): Record<string, Value> {
    return Object.fromEntries(cacheNames(this.#llm.layers).map((name) => [name, results[`next/${name}`]!]));
  }

  #replaceCaches(slots: DecoderSlots, results: Results): void {
    for (const value of Object.values(slots.caches)) value.dispose();
    slots.caches = this.#caches(results);
  }

  /** The context where the runtime works; values stay their owner's. */
  #contextValues(context: ContextValues, rows: number): Record<string, Value> {
    const asked = this.#contextNames;
    const given = Object.keys(context);
    const wrong = given.find((name) => !asked.includes(name)) ?? asked.find((name) => !given.includes(name));
    if (wrong !== undefined)
      throw new UserLlmError('bad-argument', {
        what: 'context',
        expected: `the inputs ${asked.join(', ') || '(none)'}`,
        got: given.join(', ') || 'none',
      });
    return Object.fromEntries(
      Object.entries(context).map(([name, tensor]) => {
        if (tensor.shape[0] !== rows)
          throw new UserLlmError('shape-mismatch', {
            what: `context ${name}`,
            expected: `a first axis of ${rows} prompts`,
            got: `[${tensor.shape.join(', ')}]`,
          });
        return [name, tensor instanceof Tensor ? this.#runtime.value(tensor as Tensor) : tensor];
      }),
    );
  }

  #requireRoom(what: string, positions: number, room: number): void {
    if (positions <= room) return;
    throw new UserLlmError('too-many-tokens', {
      what,
      expected: `at most ${room} positions, a soft prompt's ${this.prefixTokens} included`,
      got: `${positions}`,
      mend: 'Shorten the prompt, or ask for fewer tokens.',
    });
  }

  /** The length of the longest row. */
  #requireTokens(what: string, rows: readonly (readonly number[])[]): number {
    const empty = rows.length === 0 || rows.some((row) => row.length === 0);
    const wrong = rows.flat().find((token) => !Number.isInteger(token) || token < 0 || token >= this.vocabularySize);
    if (empty || wrong !== undefined)
      throw new UserLlmError('bad-argument', {
        what,
        expected: `rows of at least one token from 0 to ${this.vocabularySize - 1}`,
        got: empty ? 'an empty row, or none' : `${wrong}`,
        mend: 'Start a prompt with the token that begins sequences; use the tokenizer of the model.',
      });
    return rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  }
}
