/** A tensor of a checkpoint, and which parameters it holds. */
export interface StoredTensor {
  /** Its name in the checkpoint. */
  readonly name: string;
  /** Parameters by our names; of several, the outputs stand one after the other. */
  readonly holds: readonly string[];
  /** Whether a matrix is stored as `[inputs, outputs]`; ours are `[outputs, inputs]`. */
  readonly transposed?: boolean;
}

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
