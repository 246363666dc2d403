import type { Size } from '@user-llm/graph';
import type { Kernel } from './kernel.js';

/** The number that a size stands for. */
export const sizeValue: Kernel<{ readonly size: Size }> = (_, { tf, attributes, size }) =>
  tf.scalar(size(attributes.size), 'int32');

/** The whole numbers from 0 up. */
export const range: Kernel = (_, { tf, outputs: [output] }) => {
  const count = output!.shape[0]!;
  return tf.tensor1d(
    Int32Array.from({ length: count }, (_, index) => index),
    'int32',
  );
};
