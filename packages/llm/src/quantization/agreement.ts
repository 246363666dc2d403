import {
  argmax,
  graph,
  input,
  parameterInputs,
  reshape,
  sparseCrossEntropy,
  symbol,
  type Program,
  type Runtime,
} from '@user-llm/graph';
import type { LanguageModelModule } from '@user-llm/plugin';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { FamilyOptions } from '../checkpoints/hugging-face.js';
import type { LoadedLanguageModel } from '../checkpoints/loaded-language-model.js';
import { BoundWeights, type Accuracy } from '../decoding/bound-weights.js';
import { checkedWeights } from '../decoding/checked-weights.js';
import { familyNamed } from '../families/known-families.js';
import type { Weight } from './quantized-matrix.js';

/** Tokens that are read at once, at most; a text is cut into pieces of so many. */
const pieceTokens = 256;

/** How far two models agree on a text. */
export interface Agreement {
  /** Tokens that were foretold. */
  readonly tokens: number;
  /** Share of them where both hold the same token for the likeliest. */
  readonly greedy: number;
  /** Of the one and of the other. */
  readonly perplexity: readonly [number, number];
}

/** What is compared, and on what. */
export interface AgreementOptions extends FamilyOptions {
  /** Two forms of one model. */
  readonly models: readonly [LoadedLanguageModel<Weight>, LoadedLanguageModel<Weight>];
  /** Of a text, at least two. */
  readonly tokens: readonly number[];
  /** What stands before each piece of the text, as the LLM's tokenizer has it; nothing unless told. */
  readonly opensWith?: readonly number[];
  readonly runtime: Runtime;
  /** Of products with matrices of few bits; `int8` unless told. */
  readonly accuracy?: Accuracy;
  /**
   * Whether matrices of few bits are read by their blocks, as a decoder's steps read them; by the form that it reads
   * prompts by, where the runtime has `integerProducts`, unless told.
   */
  readonly compact?: boolean;
}

/**
 * How far two forms of a language model agree: each reads the text in pieces of 256 tokens, behind what opens a text, and
 * foretells every token but the first that it reads of each.
 *
 * @throws UserLlmError `bad-argument` for fewer than two tokens; `unknown-family`, `missing-weight`, `shape-mismatch`.
 */
export async function modelAgreement(options: AgreementOptions): Promise<Agreement> {
  const { models, tokens } = options;
  if (tokens.length < 2)
    throw new UserLlmError('bad-argument', { what: 'text', expected: 'at least two tokens', got: `${tokens.length}` });
  const one = await foretell(models[0], options);
  const other = await foretell(models[1], options);
  const count = one.likeliest.length;
  const same = one.likeliest.filter((token, at) => token === other.likeliest[at]).length;
  return {
    tokens: count,
    greedy: same / count,
    perplexity: [Math.exp(one.loss / count), Math.exp(other.loss / count)],
  };
}

interface Foretold {
  /** The likeliest token at each place of all pieces. */
  readonly likeliest: readonly number[];
  /** Sum of the negative logarithms of the probabilities of the tokens that came. */
  readonly loss: number;
}

async function foretell(
  { family, config, weights }: LoadedLanguageModel<Weight>,
  { tokens, opensWith = [], runtime, families, accuracy = 'int8', compact = false }: AgreementOptions,
): Promise<Foretold> {
  const llm = familyNamed(family, families).build(config);
  const program = await foretelling(llm, weights, runtime, { accuracy, compact });
  const likeliest: number[] = [];
  let loss = 0;
  for (const piece of piecesOf(tokens, Math.min(pieceTokens, llm.maximumTokens - opensWith.length))) {
    const text = [...opensWith, ...piece];
    const [read, labels] = [text.slice(0, -1), text.slice(1)];
    const results = await program.run({
      tokens: new Tensor('int32', ['batch', 'token'], [1, read.length], Int32Array.from(read)) as Tensor,
      labels: new Tensor('int32', ['row'], [labels.length], Int32Array.from(labels)) as Tensor,
    });
    const [mean, best] = [await results['loss']!.read(), await results['likeliest']!.read()];
    loss += labels.length * Number(mean.data[0]);
    for (const token of best.data as Int32Array) likeliest.push(token);
    for (const value of Object.values(results)) value.dispose();
  }
  await program.dispose();
  return { likeliest, loss };
}

/** A text in pieces; a last token alone foretells nothing. */
function piecesOf(tokens: readonly number[], size: number): (readonly number[])[] {
  const count = Math.ceil(tokens.length / size);
  return Array.from({ length: count }, (_, at) => tokens.slice(at * size, (at + 1) * size)).filter(
    (piece) => piece.length > 1,
  );
}

/** A program that reads `tokens` `[1, L]` and `labels` `[L]`, and gives the likeliest tokens and the mean loss. */
async function foretelling(
  llm: LanguageModelModule,
  given: Readonly<Record<string, Weight>>,
  runtime: Runtime,
  { accuracy, compact }: { readonly accuracy: Accuracy; readonly compact: boolean },
): Promise<Program> {
  const { tree, named } = parameterInputs(llm.parameters);
  const count = symbol('token');
  const tokens = input('tokens', 'int32', ['batch', 'token'], [1, count]);
  const labels = input('labels', 'int32', ['row'], [count]);
  const hidden = reshape(llm.hidden(tree as never, { tokens }), ['row', 'modelWidth'], [count, llm.modelWidth]);
  const logits = llm.logits(tree as never, hidden);
  const source = graph([tokens, labels, ...Object.values(named)], {
    likeliest: argmax(logits),
    loss: sparseCrossEntropy<readonly ['row'], 'vocabulary'>(logits, labels),
  });
  const weights = checkedWeights(llm.parameters, given, '', runtime.quantizedProducts ?? false);
  const secondForms = !compact && (runtime.integerProducts ?? false);
  const bound = await new BoundWeights(weights, accuracy).bind(source, () => secondForms);
  return runtime.compile(bound.graph, bound.frozen);
}
