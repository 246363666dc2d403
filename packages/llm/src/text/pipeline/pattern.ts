import { library } from './library.js';

/**
 * A pattern of a `tokenizer.json` as JavaScript matches it: `{ "String": ... }`, or `{ "Regex": ... }` in Oniguruma's
 * language, whose white space, word characters and anchors are not JavaScript's.
 *
 * @returns A pattern with the flag `g`.
 */
export function patternOf(pattern: unknown): RegExp {
  const compiled = new library.ReplaceNormalizer({ type: 'Replace', pattern, content: '' }).pattern;
  if (!compiled) throw new Error(`a pattern of ${JSON.stringify(pattern)} is not known`);
  return compiled;
}

/** A text as a pattern that matches nothing else. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

/** What `\w` takes in for Rust's regular expressions, as a part of a character class. */
export const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';
