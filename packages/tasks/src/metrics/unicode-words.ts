/** The words of a text in lower case, of any script: runs of letters, marks and digits. */
export function unicodeWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
