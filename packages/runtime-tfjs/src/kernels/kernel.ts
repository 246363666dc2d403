import type { Attributes, ConcreteType, Size } from '@user-llm/graph';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';

/** What a kernel is told besides its inputs. */
export interface KernelContext<A> {
  readonly tf: TensorFlow;
  /** Whether the kernels are the WebAssembly ones, which deviate from TensorFlow's in places. */
  readonly wasm: boolean;
  readonly attributes: A;
  /** Types of the outputs to make. */
  readonly outputs: readonly ConcreteType[];
  /** The number that a size of the attributes stands for. */
  size(size: Size): number;
}

/**
 * An operator on TensorFlow.js tensors.
 *
 * Intermediate tensors need not be disposed of: everything but the result is released after each kernel. A kernel
 * never waits, may return its input's memory under another shape, and is not called where all outputs are empty.
 */
export type Kernel<A = Attributes> = (
  inputs: readonly EngineTensor[],
  context: KernelContext<A>,
) => EngineTensor | readonly EngineTensor[];

/** A tensor of zeros, or of another number. */
export function filled(tf: TensorFlow, { shape, dtype }: ConcreteType, value = 0): EngineTensor {
  return tf.cast(tf.fill([...shape], value, 'float32'), engineDType(dtype));
}

/** The element types that TensorFlow.js's tensors have here. */
export type EngineDType = 'float32' | 'int32' | 'bool';

/** The element type in TensorFlow.js of a dtype; only dtypes that `requireSupported` let through arrive here. */
export function engineDType(dtype: ConcreteType['dtype']): EngineDType {
  return dtype === 'float32' || dtype === 'bool' ? dtype : 'int32';
}
