import { isFloat, scalar, UserLlmError } from '@user-llm/tensor';
import { broadcastLike, constant, type Float, type NamedTensors } from '@user-llm/graph';

/** A named tensor of real numbers. Its dtype need not be float32: what is done with it keeps the dtype it has. */
export function named(tensors: NamedTensors, name: string, what: string): Float {
  const tensor = tensors[name];
  if (!tensor || !isFloat(tensor.dtype)) {
    throw new UserLlmError(tensor ? 'dtype-mismatch' : 'unknown-tensor', {
      what: `${what} of ${JSON.stringify(name)}`,
      expected: tensor ? 'real numbers' : `one of ${Object.keys(tensors).join(', ')}`,
      got: tensor?.dtype ?? 'none',
      mend: tensor
        ? 'Optimizers move real numbers only; leave other tensors out of what is trained.'
        : 'Start from the state that init() gives for the same parameters.',
    });
  }
  return tensor as Float;
}

/** Zeros of the type of another tensor. */
export function zerosLike(tensor: Float): Float {
  return broadcastLike(constant(scalar(tensor.dtype, 0)), tensor);
}

/** State of one kind for every parameter, zeros to start from, as `KIND/NAME`. */
export function zeroState(kind: string, parameters: NamedTensors): NamedTensors {
  return Object.fromEntries(
    Object.keys(parameters).map((name) => [`${kind}/${name}`, zerosLike(named(parameters, name, 'the parameter'))]),
  );
}
