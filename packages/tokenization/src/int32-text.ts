import { UserLlmError } from '@user-llm/tensor';

/** Ids as base64 of their little-endian bytes. */
export function encodeInt32(ids: Int32Array): string {
  const bytes = Buffer.alloc(ids.length * 4);
  ids.forEach((id, index) => bytes.writeInt32LE(id, index * 4));
  return bytes.toString('base64');
}

/**
 * Reads what `encodeInt32` wrote.
 *
 * @param length How many ids there must be.
 * @throws UserLlmError `bad-tokenizer` when there are more or fewer.
 */
export function decodeInt32(text: string, length: number): Int32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== length * 4) {
    throw new UserLlmError('bad-tokenizer', {
      what: 'ids in base64',
      expected: `${length * 4} bytes`,
      got: `${bytes.length}`,
      mend: 'The file was changed or cut after it was written: take it from the model directory again.',
    });
  }
  return Int32Array.from({ length }, (_, index) => bytes.readInt32LE(index * 4));
}
