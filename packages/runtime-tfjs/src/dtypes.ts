import { UserLlmError, type BaseDType } from '@user-llm/tensor';
import type { TensorType } from '@user-llm/graph';

/** The dtypes that TensorFlow.js's kernels compute with; ids are `int32`. */
export const supportedDTypes = ['float32', 'int32', 'bool'] as const satisfies readonly BaseDType[];

/**
 * Checks that a tensor can be held.
 *
 * @throws UserLlmError `unsupported-dtype` for 64-bit, 16-bit and 8-bit numbers, which TensorFlow.js does not have.
 */
export function requireSupported(what: string, { dtype }: Pick<TensorType, 'dtype'>): void {
  if ((supportedDTypes as readonly string[]).includes(dtype)) return;
  throw new UserLlmError('unsupported-dtype', {
    what,
    expected: supportedDTypes.join(', '),
    got: dtype,
    mend: 'Convert it before it is fed: to float32 or int32.',
  });
}
