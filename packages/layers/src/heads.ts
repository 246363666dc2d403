import { joinAxes, range, rotary, rotaryFrequencies, splitAxis, type Float, type Symbolic } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';

// B batch, T time, W width (H heads of size S).

/**
 * The size of a head.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width.
 */
export function headSizeOf(what: string, width: number, heads: number): number {
  const size = width / heads;
  if (Number.isInteger(size) && size > 0) return size;
  throw new UserLlmError('bad-config', {
    what,
    expected: 'a number of heads that divides the width',
    got: `${heads} heads and width ${width}`,
    mend: 'Choose heads that divide the width.',
  });
}

/**
 * Queries or keys with their heads turned by their positions (Su et al. 2021).
 *
 * @param x_BTW `[B, T, H*S]`, with an even S
 * @param positions `[T]` or `[B, T]`; 0, 1, 2 ... when absent.
 * @param base Base of the frequencies, 10,000 in the paper.
 * @returns As `x_BTW`.
 */
export function turnHeads<B extends string, T extends string, W extends string>(
  x_BTW: Float<readonly [B, T, W]>,
  heads: number,
  base: number,
  positions?: Symbolic<'int32'>,
): Float<readonly [B, T, W]> {
  const [batch, time, width] = x_BTW.axes;
  const size = headSizeOf('turnHeads', x_BTW.shape[2] as number, heads);
  const x_BTHS = splitAxis(x_BTW, width, { head: heads, headSize: size }, [batch, time, 'head', 'headSize']);
  const places = positions ?? range(time, x_BTW.shape[1]!);
  const turned_BTHS = rotary(x_BTHS as Float, places as Symbolic<'int32'>, {
    frequencies: rotaryFrequencies(size, base),
  });
  return joinAxes(turned_BTHS, ['head', 'headSize'], width, [batch, time, width]) as Float<readonly [B, T, W]>;
}
