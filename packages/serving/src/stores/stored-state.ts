import type { UserState, UserStore } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { joinFrame, splitFrame } from '../frame.js';

const head = z.union([
  z.strictObject({
    version: z.literal(1),
    encoder: z.string(),
    watermark: z.int().nonnegative(),
    generation: z.string().exactOptional(),
  }),
  z.strictObject({ version: z.literal(1), deleted: z.literal(true) }),
]);

/** What a store keeps of a user: a state, or the mark of one who was deleted. */
export type StoredState = UserState | 'deleted';

/** Whether what is kept of a user, if anything, is what `UserStore.put` is told to replace. */
export function isExpected(stored: StoredState | undefined, expected: Parameters<UserStore['put']>[2]): boolean {
  if (typeof stored !== 'object' || typeof expected !== 'object') return stored === expected;
  return stored.generation === expected.generation && stored.watermark === expected.watermark;
}

/** The bytes of a state or a tombstone; nothing in a tombstone tells who it was. */
export function encodeStored(stored: StoredState): Uint8Array {
  if (stored === 'deleted') return joinFrame({ version: 1, deleted: true }, new Uint8Array());
  const { encoder, watermark, generation, state } = stored;
  return joinFrame({ version: 1, encoder, watermark, generation }, state);
}

/**
 * Reads what `encodeStored` wrote, into bytes of its own.
 *
 * @throws UserLlmError `bad-user-record` when the bytes are not such.
 */
export function decodeStored(bytes: Uint8Array): StoredState {
  const { head: written, body } = splitFrame(bytes);
  const parsed = head.safeParse(written);
  if (!parsed.success) {
    throw new UserLlmError('bad-user-record', {
      what: "a user's state in the store",
      expected: 'a record of version 1',
      got: z.prettifyError(parsed.error),
      mend: 'Delete this user, or restore the store from a backup.',
    });
  }
  if ('deleted' in parsed.data) return 'deleted';
  const { version: _, ...kept } = parsed.data;
  return { ...kept, state: new Uint8Array(body) };
}
