import { where, type Float, type Symbolic } from '@user-llm/graph';
import { TitleTrie } from '@user-llm/llm';
import type { Item, TextTokenizer } from '@user-llm/plugin';
import { itemTitle } from '@user-llm/tasks';
import { Tensor } from '@user-llm/tensor';
import type { UserLlmConfig } from '../config/user-llm-config.js';
import { encodeAnswer } from './prompt-format.js';

// R rows that predict, V vocabulary.

/** A token of an answer that is predicted. */
export interface TokenChoice {
  /** Its place in the answer's tokens. */
  readonly at: number;
  /** What it is chosen among, itself included; all of the vocabulary when absent. */
  readonly among?: readonly { readonly token: number }[];
  /** The node of the titles that it leads on from; absent with `among`. */
  readonly node?: number;
}

/** An answer as tokens, and those of them that are predicted. */
export interface AnswerTokens {
  /** Its tokens, the end included; of a constrained title no further than up to the last that is a choice. */
  readonly tokens: readonly number[];
  readonly choices: readonly TokenChoice[];
}

/** The titles of items by their tokens, as they follow a prompt. */
export function titleTrie(tokenizer: TextTokenizer, items: Iterable<Item>): TitleTrie {
  const titles = Array.from(items, (item) => ({
    item: item.item,
    tokens: encodeAnswer(tokenizer, itemTitle(item)).slice(0, -1),
  }));
  return new TitleTrie(titles, tokenizer.end);
}

/** The titles that items are chosen among, where the config has them constrained and there are any. */
export function constrainedTitles(
  { titles }: Pick<UserLlmConfig, 'titles'>,
  tokenizer: TextTokenizer,
  items: readonly Item[],
): TitleTrie | undefined {
  return titles === 'constrained' && items.length > 0 ? titleTrie(tokenizer, items) : undefined;
}

/**
 * An answer as tokens. One that is among the titles is read as constrained decoding chooses its way through them; any other
 * is free.
 *
 * @param titles Nothing where all answers are free.
 */
export function answerTokens(tokenizer: TextTokenizer, answer: string, titles?: TitleTrie): AnswerTokens {
  const tokens = encodeAnswer(tokenizer, answer);
  const free = { tokens, choices: tokens.map((_, at) => ({ at })) };
  if (!titles) return free;
  const choices: TokenChoice[] = [];
  let node = 0;
  for (const [at, token] of tokens.entries()) {
    const edges = titles.edges(node);
    const edge = edges.find((each) => each.token === token);
    if (!edge) return free;
    if (edges.length > 1) choices.push({ at, among: edges, node });
    node = edge.node;
  }
  // At least one, so that there is something to read where there is nothing to choose.
  return { tokens: tokens.slice(0, 1 + (choices.at(-1)?.at ?? 0)), choices };
}

/**
 * What each prediction is chosen among as a mask for `onlyAllowed`: `[R, V]`.
 *
 * @param choices One for each row; all of the vocabulary where `among` is absent.
 */
export function allowedTokens(
  choices: readonly Pick<TokenChoice, 'among'>[],
  vocabularySize: number,
): Tensor<'bool', readonly ['row', 'vocabulary']> {
  const allowed = new Uint8Array(choices.length * vocabularySize);
  choices.forEach(({ among }, row) => {
    const start = row * vocabularySize;
    if (among) for (const { token } of among) allowed[start + token] = 1;
    else allowed.fill(1, start, start + vocabularySize);
  });
  return new Tensor('bool', ['row', 'vocabulary'] as const, [choices.length, vocabularySize], allowed);
}

/** The logit of a token that is not allowed: its probability is 0 in any precision. */
const impossible = -1e9;

/** Logits of which only the allowed tokens have a probability: `[R, V]`. */
export function onlyAllowed(
  logits_RV: Float<readonly ['row', 'vocabulary']>,
  allowed_RV: Symbolic<'bool', readonly ['row', 'vocabulary']>,
): Float<readonly ['row', 'vocabulary']> {
  return where(allowed_RV, logits_RV, impossible);
}
