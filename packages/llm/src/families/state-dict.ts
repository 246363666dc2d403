import type { StoredTensor } from '@user-llm/plugin';

/**
 * Tensors of every layer, by a function that tells them for one.
 *
 * @param own What a layer's tensors are; `ours` and `theirs` are put before its names.
 */
export function ofEveryLayer(
  layers: number,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
  own: readonly StoredTensor[],
): StoredTensor[] {
  return Array.from({ length: layers }, (_, layer) =>
    own.map(({ name, holds, ...how }) => ({
      ...how,
      name: `${theirs}.${layer}.${name}`,
      holds: holds.map((parameter) => `${ours}.${layer}.${parameter}`),
    })),
  ).flat();
}
