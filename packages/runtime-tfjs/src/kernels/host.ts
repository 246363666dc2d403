import type { Attributes, PrimitiveOperator, ReferenceArray } from '@user-llm/graph';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import { engineDType, type Kernel } from './kernel.js';

/** A kernel from an operator's reference kernel: inputs are read to the host and outputs written back. */
export function hostKernel<A extends Attributes>(operator: PrimitiveOperator<A>): Kernel<A> {
  return (inputs, { tf, attributes, outputs, size }) => {
    const results = operator.reference(inputs.map(read), { attributes, outputs, size });
    return results.map((result) => write(tf, result));
  };
}

function read(tensor: EngineTensor): ReferenceArray {
  const dtype = tensor.dtype as ReferenceArray['dtype'];
  return { dtype, shape: tensor.shape, data: Float64Array.from(tensor.dataSync() as Float32Array) };
}

function write(tf: TensorFlow, { dtype, shape, data }: ReferenceArray): EngineTensor {
  const held = engineDType(dtype);
  const array = held === 'float32' ? Float32Array : held === 'bool' ? Uint8Array : Int32Array;
  return tf.tensor(array.from(data), [...shape], held);
}
