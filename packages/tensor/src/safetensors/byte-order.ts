import { UserLlmError } from '../errors.js';

/**
 * Safetensors data are little-endian and are read straight into typed arrays, which have the machine's byte order.
 *
 * @throws UserLlmError `unsupported-platform` on a big-endian machine.
 */
export function checkByteOrder(): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
    throw new UserLlmError('unsupported-platform', {
      what: 'safetensors',
      expected: 'a little-endian machine',
      got: 'a big-endian one',
    });
  }
}
