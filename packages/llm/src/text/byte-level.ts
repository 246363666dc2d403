/** The character that stands for each byte in byte-level BPE (Radford et al. 2019): printable Latin-1 stands for itself. */
export const byteCharacters: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : 256 + moved++));
})();

const encoder = new TextEncoder();

/** A text's UTF-8 bytes, each as its character. */
export function toByteCharacters(text: string): string {
  let characters = '';
  for (const byte of encoder.encode(text)) characters += byteCharacters[byte]!;
  return characters;
}

/** GPT-2's pattern of words, for JavaScript, whose `\s` takes in U+FEFF and leaves out U+0085. */
const words =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pieces of a text that merges stay within: words with the space before them, numbers, punctuation, white space. */
export function wordsOf(text: string): readonly string[] {
  return text.match(words) ?? [];
}
