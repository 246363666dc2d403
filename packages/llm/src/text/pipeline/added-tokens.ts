import type { AddedToken } from '../tokenizer-json.js';
import { escaped, wordCharacters } from './pattern.js';

/** A part of a text: text, or the number of an added token. */
export type TextPart = string | number;

const endsWithWord = new RegExp(`[${wordCharacters}]$`, 'u');
const startsWithWord = new RegExp(`^[${wordCharacters}]`, 'u');
const spaceAtEnd = /\p{White_Space}*$/u;
const spaceAtStart = /^\p{White_Space}*/u;

/**
 * Finds added tokens in texts as Hugging Face's `tokenizers` does: the leftmost, of those the longest; `single_word` ones
 * only between characters that are of no word; `lstrip` and `rstrip` take in the white space beside them.
 *
 * @param contents The text to look for, of each token.
 */
export function addedTokenSplitter(
  tokens: readonly AddedToken[],
  contents: readonly string[],
): (text: string) => readonly TextPart[] {
  const byContent = new Map(tokens.map((token, at) => [contents[at]!, token] as const));
  byContent.delete('');
  if (byContent.size === 0) return (text) => (text === '' ? [] : [text]);
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escaped).join('|'), 'gu');
  return (text) => {
    const parts: TextPart[] = [];
    let told = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      const [before, after] = [text.slice(0, start), text.slice(end)];
      if (token.single_word && (endsWithWord.test(before) || startsWithWord.test(after))) continue;
      if (token.lstrip) start = Math.max(told, start - spaceAtEnd.exec(before)![0].length);
      if (token.rstrip) end += spaceAtStart.exec(after)![0].length;
      if (told < start) parts.push(text.slice(told, start));
      parts.push(token.id);
      told = end;
    }
    if (told < text.length) parts.push(text.slice(told));
    return parts;
  };
}
