/** Values in groups of a size; values at the end that do not fill a group are left out. */
export async function* inGroups<T>(values: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const value of values) {
    group.push(value);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
}
