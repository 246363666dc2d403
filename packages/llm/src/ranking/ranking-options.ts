import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { ContextValues, DecodeStepper } from '../decoding/decode-stepper.js';
import { notFinite } from './not-finite.js';
import type { TitleTrie } from './title-trie.js';

/** What titles are judged by. */
export interface RankingInputs {
  readonly stepper: DecodeStepper;
  /** Tokens of each user's prompt, up to where the title begins. */
  readonly prompts: readonly (readonly number[])[];
  /** What the LLM reads beside the tokens, one entry per prompt. */
  readonly context?: ContextValues;
  /** Ends the search early: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
  /** Prompts that are worked on together; as many as keep the probabilities below 64 MiB unless told. */
  readonly promptsAtOnce?: number;
}

/** Some of the prompts with their part of the context. */
export interface PromptGroup {
  /** Number of the first. */
  readonly from: number;
  readonly prompts: readonly (readonly number[])[];
  readonly context: ContextValues;
}

/** Probabilities that exist at one time. */
const probabilitiesAtOnce = 2 ** 24;

/** How many prompts to work on together when each reads `tokens` tokens in one step. */
export function promptsAtOnce({ stepper, promptsAtOnce: told }: RankingInputs, tokens: number): number {
  return told ?? Math.max(1, Math.floor(probabilitiesAtOnce / (tokens * stepper.vocabularySize)));
}

/** The prompts in groups. */
export async function groupsOf({ prompts, context = {} }: RankingInputs, size: number): Promise<PromptGroup[]> {
  const groups: PromptGroup[] = [];
  if (prompts.length <= size) return [{ from: 0, prompts, context }];
  const host = await Promise.all(
    Object.entries(context).map(
      async ([name, given]) => [name, given instanceof Tensor ? given : await given.read()] as const,
    ),
  );
  for (let from = 0; from < prompts.length; from += size) {
    const end = Math.min(prompts.length, from + size);
    const part = host.map(([name, tensor]) => [name, (tensor as Tensor).slice(tensor.axes[0]!, from, end)] as const);
    groups.push({ from, prompts: prompts.slice(from, end), context: Object.fromEntries(part) });
  }
  return groups;
}

/**
 * @param depth Tokens of a title at most, of which the last is not read.
 * @throws UserLlmError `too-many-tokens` when the longest title does not fit behind the longest prompt; `bad-argument`
 *   for titles of tokens that the LLM does not have.
 */
export function requireFit(
  { stepper, prompts }: RankingInputs,
  { largestToken, depth: whole }: TitleTrie,
  depth = whole,
): void {
  if (largestToken >= stepper.vocabularySize)
    throw new UserLlmError('bad-argument', {
      what: 'titles',
      expected: `tokens below ${stepper.vocabularySize}, which the LLM has, the one that ends titles included`,
      got: `${largestToken}`,
      mend: 'Use the tokenizer of the model.',
    });
  const longest = prompts.reduce((length, prompt) => Math.max(length, prompt.length), 0);
  const positions = stepper.prefixTokens + longest + depth - 1;
  if (positions <= stepper.maximumTokens) return;
  throw new UserLlmError('too-many-tokens', {
    what: 'prompt and title',
    expected: `at most ${stepper.maximumTokens} positions together, a soft prompt's included`,
    got: `${positions}`,
    mend: 'Shorten the prompts or the titles.',
  });
}

/** The stepper's way to read branches. @throws UserLlmError `no-branches` where it has none. */
export function branchOf(stepper: DecodeStepper): NonNullable<DecodeStepper['branch']> {
  if (stepper.branch) return (...given) => stepper.branch!(...given);
  throw new UserLlmError('no-branches', {
    what: 'search over titles',
    expected: 'an LLM with `branch`',
    got: 'one without',
    mend: 'Give the family a `branch` method, as llama has.',
  });
}

/**
 * Logarithms of the probabilities that logits of rows mean, `[row, vocabulary]`; the logits are overwritten.
 *
 * @throws UserLlmError `not-finite` for a row whose logits hold NaN, or none that is finite.
 */
export function logProbabilitiesOf(logits: Tensor<'float32'>): Float32Array {
  const width = logits.shape[1]!;
  const { data } = logits;
  for (let start = 0; start < data.length; start += width) {
    let largest = -Infinity;
    for (let at = start; at < start + width; at++) largest = Math.max(largest, data[at]!);
    let sum = 0;
    for (let at = start; at < start + width; at++) sum += Math.exp(data[at]! - largest);
    const norm = largest + Math.log(sum);
    if (!Number.isFinite(norm)) throw notFinite('logits', norm);
    for (let at = start; at < start + width; at++) data[at]! -= norm;
  }
  return data;
}
