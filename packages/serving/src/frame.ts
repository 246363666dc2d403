import { UserLlmError } from '@user-llm/tensor';

/**
 * Joins a JSON head and bytes: the head's length (uint32, little-endian), the head in UTF-8, the bytes.
 *
 * @param head Anything that JSON can hold.
 */
export function joinFrame(head: unknown, body: Uint8Array): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(4 + text.length + body.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(body, 4 + text.length);
  return bytes;
}

/**
 * Takes apart what `joinFrame` made; `body` is a view of `bytes`.
 *
 * @throws UserLlmError `bad-user-record` when the bytes are too short or the head is not JSON.
 */
export function splitFrame(bytes: Uint8Array): { readonly head: unknown; readonly body: Uint8Array } {
  const fail = (got: string, cause?: unknown): never => {
    throw new UserLlmError('bad-user-record', {
      what: "a user's record",
      expected: 'a length, a JSON head of that length, and bytes',
      got,
      mend: 'Delete this user, or restore the store from a backup.',
      cause,
    });
  };
  if (bytes.length < 4) return fail(`${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + length > bytes.length) return fail(`a head of ${length} bytes in ${bytes.length} bytes`);
  const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  try {
    return { head: JSON.parse(text), body: bytes.subarray(4 + length) };
  } catch (cause) {
    return fail('a head that is not JSON', cause);
  }
}
