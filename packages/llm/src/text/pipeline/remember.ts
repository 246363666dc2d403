/** Different words that are kept; texts hold few words often, and many words once. */
const capacity = 65_536;

/** Longer texts hardly ever come again. */
const longest = 64;

/** A function of words that remembers what it gave: the same array each time, not to be changed. */
export function remember<T>(of: (word: string) => readonly T[]): (word: string) => readonly T[] {
  const known = new Map<string, readonly T[]>();
  return (word) => {
    if (word.length > longest) return of(word);
    const before = known.get(word);
    if (before) return before;
    const made = of(word);
    if (known.size >= capacity) known.clear();
    known.set(word, made);
    return made;
  };
}
