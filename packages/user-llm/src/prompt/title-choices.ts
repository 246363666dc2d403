import { TitleTrie } from '@user-llm/llm';
import type { Item, TextTokenizer } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { encodeAnswer } from './prompt-format.js';

/** An answer as tokens, and what they are chosen among. */
export interface AnswerTokens {
  /** Its tokens, the end included; constrained no further than up to the last that is a choice. */
  readonly tokens: readonly number[];
  /**
   * For each token those that it is chosen among, itself included; a token that stands alone need not be predicted. All
   * of the vocabulary when absent.
   */
  readonly among?: readonly (readonly number[])[];
}

/** The titles of items by their tokens, as they follow a prompt. */
export function titleTrie(tokenizer: TextTokenizer, items: Iterable<Item>): TitleTrie {
  const titles = Array.from(items, (item) => ({
    item: item.item,
    tokens: encodeAnswer(tokenizer, answerTitle(item)).slice(0, -1),
  }));
  return new TitleTrie(titles, tokenizer.end);
}

/**
 * An answer as the choices that constrained decoding makes on its way through titles. An answer that is none of the titles
 * stays free.
 *
 * @param titles Nothing for an answer that is free.
 */
export function answerTokens(tokenizer: TextTokenizer, answer: string, titles: TitleTrie | undefined): AnswerTokens {
  const tokens = encodeAnswer(tokenizer, answer);
  if (!titles) return { tokens };
  const among: number[][] = [];
  let node = 0;
  let read = 1;
  for (const token of tokens) {
    const edges = titles.edges(node);
    const edge = edges.find((each) => each.token === token);
    if (!edge) return { tokens };
    node = edge.node;
    if (among.push(edges.map((each) => each.token)) > 1 && edges.length > 1) read = among.length;
  }
  return { tokens: tokens.slice(0, read), among: among.slice(0, read) };
}

/**
 * Which tokens each prediction is chosen among, `[row, vocabulary]`, as a graph reads it.
 *
 * @param rows For each prediction the tokens; all of them where absent.
 */
export function allowedTokens(
  rows: readonly (readonly number[] | undefined)[],
  vocabularySize: number,
): Tensor<'bool', readonly ['row', 'vocabulary']> {
  const allowed = new Uint8Array(rows.length * vocabularySize);
  rows.forEach((among, row) => {
    const start = row * vocabularySize;
    if (among) for (const token of among) allowed[start + token] = 1;
    else allowed.fill(1, start, start + vocabularySize);
  });
  return new Tensor('bool', ['row', 'vocabulary'] as const, [rows.length, vocabularySize], allowed);
}

/** What an item is called, as the tasks' answers have it: its title on one line, or its id where it has none. */
function answerTitle({ item, title }: Item): string {
  const line = title?.replace(/\s+/gu, ' ').trim();
  return line === undefined || line === '' ? item : line;
}
