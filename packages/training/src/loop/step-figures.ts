import type { Results } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';

/** Host tensors by name. */
export type Weights = Readonly<Record<string, Tensor>>;

/** What a step told. */
export interface StepFigures {
  readonly loss: number;
  /** The global norm of the gradients, before clipping. */
  readonly gradientNorm: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Results of one number each, read and released. */
export async function numbers(results: Results): Promise<Record<string, number>> {
  const read = Object.entries(results).map(async ([name, value]) => {
    const tensor = await value.read();
    value.dispose();
    return [name, Number(tensor.data[0])] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
