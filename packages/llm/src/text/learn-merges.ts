import { PairQueue } from './pair-queue.js';

/** Tokens below this number can be paired in one exact number. */
const base = 2 ** 26;

/** What the merges are learned from and when learning ends. */
export interface MergeLimits {
  /** Number of tokens at which learning ends. */
  readonly vocabularySize: number;
  /** Pairs that occur less often are not merged. */
  readonly minimumFrequency: number;
}

/** Words as runs of tokens in one array. */
interface Words {
  readonly tokens: Int32Array;
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly counts: readonly number[];
}

function asTokens(words: ReadonlyMap<string, number>, vocabulary: ReadonlyMap<string, number>): Words {
  const total = [...words.keys()].reduce((sum, word) => sum + word.length, 0);
  const tokens = new Int32Array(total);
  const starts = new Int32Array(words.size);
  const lengths = new Int32Array(words.size);
  let at = 0;
  let index = 0;
  for (const word of words.keys()) {
    starts[index] = at;
    lengths[index++] = word.length;
    for (const character of word) tokens[at++] = vocabulary.get(character)!;
  }
  return { tokens, starts, lengths, counts: [...words.values()] };
}

/** How often each pair occurs, and in which words it may be. */
class PairCounts {
  readonly counts = new Map<number, number>();
  #found = new Map<number, number[]>();

  change(first: number, second: number, word: number, by: number): void {
    const pair = first * base + second;
    this.counts.set(pair, (this.counts.get(pair) ?? 0) + by);
    if (by < 0) return;
    const words = this.#found.get(pair);
    if (!words) this.#found.set(pair, [word]);
    else if (words.at(-1) !== word) words.push(word);
  }

  /** Puts the pairs that were found since last time into the queue. */
  flush(queue: PairQueue): void {
    for (const [pair, words] of this.#found) {
      const count = this.counts.get(pair)!;
      if (count > 0) queue.push({ pair, count, words });
    }
    this.#found = new Map();
  }
}

/** Replaces a pair within one word, and counts the pairs that come and go. */
function mergeWithin(
  words: Words,
  word: number,
  [first, second]: readonly [number, number],
  merged: number,
  pairs: PairCounts,
): void {
  const { tokens, starts, lengths, counts } = words;
  const start = starts[word]!;
  const end = start + lengths[word]!;
  const count = counts[word]!;
  let to = start;
  for (let from = start; from < end; from++) {
    if (tokens[from] !== first || from + 1 >= end || tokens[from + 1] !== second) {
      tokens[to++] = tokens[from]!;
      continue;
    }
    if (to > start) {
      pairs.change(tokens[to - 1]!, first, word, -count);
      pairs.change(tokens[to - 1]!, merged, word, count);
    }
    from++;
    if (from + 1 < end) {
      pairs.change(second, tokens[from + 1]!, word, -count);
      pairs.change(merged, tokens[from + 1]!, word, count);
    }
    tokens[to++] = merged;
  }
  lengths[word] = to - start;
}

/**
 * Byte-pair encoding (Sennrich et al. 2016): merges the most frequent pair of neighbours again and again, step by step
 * as `BpeTrainer` of Hugging Face's `tokenizers` does, so that the merges are the same.
 *
 * @param words How often each word occurs; all of its characters are in the vocabulary.
 * @param vocabulary Token numbers by text; what is merged is added.
 * @returns The pairs in the order in which they are to be merged.
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  vocabulary: Map<string, number>,
  { vocabularySize, minimumFrequency }: MergeLimits,
): (readonly [string, string])[] {
  const texts = [...vocabulary.keys()];
  const held = asTokens(words, vocabulary);
  const pairs = new PairCounts();
  const queue = new PairQueue();
  held.counts.forEach((count, word) => {
    const start = held.starts[word]!;
    for (let at = start; at + 1 < start + held.lengths[word]!; at++) {
      pairs.change(held.tokens[at]!, held.tokens[at + 1]!, word, count);
    }
  });
  pairs.flush(queue);
  const merges: (readonly [string, string])[] = [];
  while (vocabulary.size < vocabularySize) {
    const top = queue.pop();
    if (!top) break;
    const count = pairs.counts.get(top.pair)!;
    if (count !== top.count) {
      // What was put in has become rarer since.
      queue.push({ ...top, count });
      continue;
    }
    if (count < Math.max(1, minimumFrequency)) break;
    const pair = [Math.floor(top.pair / base), top.pair % base] as const;
    const text = texts[pair[0]]! + texts[pair[1]]!;
    const merged = vocabulary.get(text) ?? texts.push(text) - 1;
    vocabulary.set(text, merged);
    merges.push([texts[pair[0]]!, texts[pair[1]]!]);
    for (const word of top.words) mergeWithin(held, word, pair, merged, pairs);
    pairs.flush(queue);
  }
  return merges;
}
