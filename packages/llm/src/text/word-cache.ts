import { wordsOf } from './byte-level.js';
import type { TokenizerJson } from './tokenizer-json.js';

/** Different words that are kept; texts hold few words often, and many words once. */
const capacity = 65_536;

/**
 * An encoder that splits texts into GPT-2's words and remembers the tokens of words: merges never cross words, so a
 * word has the same tokens wherever it stands.
 *
 * @param encodeWord Tokens of one word.
 */
export function rememberWords(encodeWord: (word: string) => number[]): (text: string) => number[] {
  const known = new Map<string, readonly number[]>();
  return (text) => {
    const tokens: number[] = [];
    for (const word of wordsOf(text)) {
      let own = known.get(word);
      if (!own) {
        own = encodeWord(word);
        if (known.size >= capacity) known.clear();
        known.set(word, own);
      }
      for (const token of own) tokens.push(token);
    }
    return tokens;
  };
}

/** Whether a tokenizer splits texts into GPT-2's words and does nothing else before its merges. */
export function splitsIntoWords({ added_tokens, normalizer, pre_tokenizer }: TokenizerJson): boolean {
  return (
    added_tokens.every(({ special }) => special) &&
    !normalizer &&
    pre_tokenizer?.type === 'ByteLevel' &&
    pre_tokenizer['add_prefix_space'] !== true &&
    pre_tokenizer['use_regex'] !== false
  );
}
