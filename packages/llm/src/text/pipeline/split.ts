/** What becomes of the matches of a pattern, by the names of `tokenizers`. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/** A stretch of a text. */
interface Stretch {
  text: string;
  readonly match: boolean;
}

const joined: Readonly<Record<SplitBehavior, (stretches: readonly Stretch[]) => readonly Stretch[]>> = {
  Removed: (stretches) => stretches.filter(({ match }) => !match),
  Isolated: (stretches) => stretches,
  MergedWithPrevious: (stretches) => merge(stretches, ({ match }, before) => match && before?.match === false),
  // The first match after what is no match begins a stretch, and each further one another.
  MergedWithNext: (stretches) => merge(stretches, ({ match }, before) => !match && before?.match === true),
  Contiguous: (stretches) => merge(stretches, ({ match }, before) => match === before?.match),
};

/** Adds stretches to those before them where they belong to these. */
function merge(
  stretches: readonly Stretch[],
  belongs: (stretch: Stretch, before: Stretch | undefined) => boolean,
): readonly Stretch[] {
  const merged: Stretch[] = [];
  stretches.forEach((stretch, at) => {
    if (belongs(stretch, stretches[at - 1])) merged.at(-1)!.text += stretch.text;
    else merged.push({ ...stretch });
  });
  return merged;
}

/**
 * A function that splits texts at the matches of a pattern.
 *
 * @param invert Takes what matches for what does not, and the other way round.
 */
export function splitter(pattern: RegExp, behavior: SplitBehavior, invert = false): (text: string) => string[] {
  const join = joined[behavior];
  return (text) => {
    const stretches: Stretch[] = [];
    let told = 0;
    const tell = (end: number, match: boolean): void => {
      if (end > told) stretches.push({ text: text.slice(told, end), match: match !== invert });
      told = end;
    };
    for (const { 0: found, index } of text.matchAll(pattern)) {
      tell(index, false);
      tell(index + found.length, true);
    }
    tell(text.length, false);
    return join(stretches).map((stretch) => stretch.text);
  };
}

/** @throws Error for a name that is none. */
export function behaviorOf(name: unknown): SplitBehavior {
  if (typeof name === 'string' && Object.hasOwn(joined, name)) return name as SplitBehavior;
  throw new Error(`a split of the behavior ${JSON.stringify(name)}`);
}
