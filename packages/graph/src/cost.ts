import { bytesPerElement, elements } from '@user-llm/tensor';
import type { ConcreteType } from './operator.js';

/** What running something takes. */
export interface Cost {
  /** Floating-point operations; a multiply-add is two. */
  readonly flops: number;
  /** Bytes read and written, if caches held nothing. */
  readonly bytes: number;
}

/** Bytes of all of these tensors. */
export function bytesOf(...types: readonly ConcreteType[]): number {
  return types.reduce((total, { dtype, shape }) => total + elements(shape) * bytesPerElement(dtype), 0);
}

/** The cost of one operation per element of the first output, reading and writing everything once. */
export function elementwiseCost(inputs: readonly ConcreteType[], outputs: readonly ConcreteType[]): Cost {
  return { flops: elements(outputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) };
}

/** The cost of moving data: no arithmetic, every output element read and written once. */
export function movementCost(outputs: readonly ConcreteType[]): Cost {
  return { flops: 0, bytes: 2 * bytesOf(...outputs) };
}

/** The cost of what only renames or re-labels memory. */
export const freeCost: Cost = { flops: 0, bytes: 0 };
