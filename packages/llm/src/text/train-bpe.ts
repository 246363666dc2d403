import { UserLlmError } from '@user-llm/tensor';
import { byteLevelBpeJson } from './byte-level-bpe-json.js';
import { byteCharacters, toByteCharacters, wordsOf } from './byte-level.js';
import { learnMerges } from './learn-merges.js';
import { openedWith } from './opening-tokens.js';
import type { TokenizerJson } from './tokenizer-json.js';

/** Tokens that no text becomes, numbered from 0 in this order. */
export interface SpecialTokens {
  /** Fills rows up; `<|padding|>` unless told. */
  readonly padding?: string;
  /** Opens a text that a model reads; `<|begin|>` unless told. */
  readonly begin?: string;
  /** Ends an answer; `<|end|>` unless told. */
  readonly end?: string;
  /** Further ones. */
  readonly extra?: readonly string[];
}

/** How a vocabulary is made. */
export interface BpeOptions {
  /** Number of tokens: special ones, 256 bytes, and merges as far as the texts give them. */
  readonly vocabularySize: number;
  /** Pairs that occur less often are not merged; 2 unless told. */
  readonly minimumFrequency?: number;
  readonly specialTokens?: SpecialTokens;
}

/**
 * Trains a byte-level BPE tokenizer (Radford et al. 2019) on texts: the merges that `BpeTrainer` of Hugging Face's
 * `tokenizers` learns behind its `ByteLevel` pre-tokenizer. The same texts give the same tokenizer.
 *
 * @param texts Any number of texts, in any order; words never cross from one to the next.
 * @returns The content of a `tokenizer.json`, for `loadTokenizer` and any other reader of such files.
 * @throws UserLlmError `bad-argument` when the vocabulary has no room for special tokens and bytes, or two special
 *   tokens are the same.
 */
export function trainBpe(texts: Iterable<string>, options: BpeOptions): TokenizerJson {
  const { vocabularySize, minimumFrequency = 2, specialTokens = {} } = options;
  const { padding = '<|padding|>', begin = '<|begin|>', end = '<|end|>', extra = [] } = specialTokens;
  const special = [padding, begin, end, ...extra];
  const alphabet = [...byteCharacters].sort();
  const vocabulary = new Map([...special, ...alphabet].map((token, at) => [token, at]));
  if (vocabulary.size !== special.length + 256 || special.includes('')) {
    throw new UserLlmError('bad-argument', {
      what: 'special tokens',
      expected: 'different texts of more than one character',
      got: special.join(' '),
    });
  }
  if (!Number.isInteger(vocabularySize) || vocabularySize < vocabulary.size) {
    throw new UserLlmError('bad-argument', {
      what: 'vocabularySize',
      expected: `at least ${vocabulary.size}: ${special.length} special tokens and 256 bytes`,
      got: `${vocabularySize}`,
    });
  }
  const merges = learnMerges(countWords(texts), vocabulary, { vocabularySize, minimumFrequency });
  const json = byteLevelBpeJson({
    added: special.map((content, id) => ({ id, content, ...plainToken, special: true })),
    words: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    vocab: Object.fromEntries(vocabulary),
    merges,
    wholeWords: false,
  });
  return openedWith(json, begin, vocabulary.get(begin)!);
}

const plainToken = { single_word: false, lstrip: false, rstrip: false, normalized: false };

function countWords(texts: Iterable<string>): Map<string, number> {
  const written = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) written.set(word, (written.get(word) ?? 0) + 1);
  const counts = new Map<string, number>();
  for (const [word, count] of written) {
    // Two texts with broken surrogates may be the same bytes.
    const characters = toByteCharacters(word);
    counts.set(characters, (counts.get(characters) ?? 0) + count);
  }
  return counts;
}
