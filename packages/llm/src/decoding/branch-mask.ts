import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { DecoderSlots } from './decoder-slots.js';

/** What branch tokens read, and where they stand. */
export interface BranchReading {
  /** `[batch, token]` */
  readonly positions: Tensor;
  /** `[batch, token, place]` */
  readonly mask: Tensor;
  /** For each slot and branch token, also those of before, the branch tokens it reads, itself last. */
  readonly lines: readonly (readonly number[])[][];
}

/**
 * What new branch tokens read: the slot's positions, the branch tokens they continue, and themselves.
 *
 * @param before Lines of the branch tokens read before.
 * @param parents `[slot][token]`: the branch token of the same slot that each continues, or -1.
 * @throws UserLlmError `bad-argument` for a parent that is not there yet, `too-many-tokens` beyond the LLM's positions.
 */
export function branchMask(
  { lengths, room }: DecoderSlots,
  before: readonly (readonly number[])[][] | undefined,
  parents: readonly (readonly number[])[],
  maximumTokens: number,
): BranchReading {
  const batch = lengths.length;
  const width = parents[0]!.length;
  const earlier = before?.[0]?.length ?? 0;
  // The slot's own places, the one for idle steps among them, then those of branch tokens.
  const places = room + 1 + earlier + width;
  const positions = new Int32Array(batch * width);
  const mask = new Uint8Array(batch * width * places);
  const lines = parents.map((row, slot) => {
    const own = [...(before?.[slot] ?? [])];
    row.forEach((parent, at) => {
      const line = parent === -1 ? [] : own[parent];
      if (!line)
        throw new UserLlmError('bad-argument', {
          what: 'branch',
          expected: `parents of -1, or below ${earlier + at}`,
          got: `${parent}`,
        });
      own.push([...line, earlier + at]);
      const position = lengths[slot]! + line.length;
      if (position >= maximumTokens)
        throw new UserLlmError('too-many-tokens', {
          what: 'branch',
          expected: `at most ${maximumTokens} positions`,
          got: `${position + 1}`,
          mend: 'Shorten the prompt or the titles.',
        });
      positions[slot * width + at] = position;
      const start = (slot * width + at) * places;
      mask.fill(1, start, start + lengths[slot]!);
      for (const token of own.at(-1)!) mask[start + room + 1 + token] = 1;
    });
    return own;
  });
  return {
    positions: new Tensor('int32', ['batch', 'token'], [batch, width], positions) as Tensor,
    mask: new Tensor('bool', ['batch', 'token', 'place'], [batch, width, places], mask) as Tensor,
    lines,
  };
}
