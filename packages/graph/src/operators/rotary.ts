import { Tensor, UserLlmError, type Axes } from '@user-llm/tensor';
import { mismatch, requireDType, requireFloat } from '../inference.js';
import { applyOne, defineComposite } from '../operator.js';
import { sameShape } from '../size.js';
import type { Float, Symbolic } from '../symbolic.js';
import { rawAdd, rawMultiply, rawSubtract } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawConcat } from './concat.js';
import { cosineOperator, scalarLike, sineOperator } from './elementwise.js';
import { constant } from './input.js';
import { rawReshape } from './reshape.js';
import { rawSlice } from './slice.js';

/** Attributes of `rotary`. */
export interface RotaryAttributes {
  /** Radians per position, one per pair of elements; elements beyond the pairs are left as they are. */
  readonly frequencies: readonly number[];
  /** Whether pairs are neighbours (llama2.c, GPT-J) rather than half a head apart (Llama, Mistral, Qwen, Gemma in Hugging Face's order). */
  readonly interleaved: boolean;
  /** What sine and cosine are multiplied with, 1 but for YaRN. */
  readonly scale: number;
}

/** Pairs of elements turned by an angle that grows with the position. */
export const rotaryOperator = defineComposite<RotaryAttributes>({
  name: 'rotary',
  infer: ([x, positions], { frequencies }) => {
    requireFloat('rotary', x!);
    requireDType('rotary', 'int32', positions!);
    const rank = x!.shape.length;
    const width = x!.shape[rank - 1];
    const lines = x!.shape.slice(0, -2);
    const fits = rank >= 3 && sameShape(lines.slice(lines.length - positions!.shape.length), positions!.shape);
    if (!fits) throw mismatch('rotary', 'x of [..., position, head, headSize] and one position each', [x!, positions!]);
    if (typeof width !== 'number' || 2 * frequencies.length > width) {
      throw mismatch('rotary', `a head size of at least ${2 * frequencies.length}, known when the graph is built`, [
        x!,
      ]);
    }
    return [x!];
  },
  decompose: ([x, positions], { frequencies, interleaved, scale }) => {
    const half = frequencies.length;
    const last = x!.axes.length - 1;
    const width = x!.shape[last] as number;
    const angles = rawMultiply(
      rawReshape(rawCast(positions!, x!.dtype), [...positions!.axes, 'head', 'pair'], [...positions!.shape, 1, 1]),
      constant(new Tensor('float64', ['pair'], [half], Float64Array.from(frequencies)).cast(x!.dtype) as Tensor),
    );
    const turn = (operator: typeof sineOperator): Symbolic => {
      const value = applyOne(operator, [angles], {});
      return scale === 1 ? value : rawMultiply(value, scalarLike(value, scale));
    };
    const cosine = turn(cosineOperator);
    const sine = turn(sineOperator);
    const turned = rawSlice(x!, last, 0, 2 * half);
    const [first, second] = interleaved ? neighbours(turned, half) : halves(turned, half);
    const parts = [
      rawSubtract(rawMultiply(first, cosine), rawMultiply(second, sine)),
      rawAdd(rawMultiply(second, cosine), rawMultiply(first, sine)),
    ];
    const joined = interleaved
      ? rawReshape(
          rawConcat(
            parts.map((part) => rawReshape(part, [...part.axes, 'side'], [...part.shape, 1])),
            last + 1,
          ),
          turned.axes,
          turned.shape,
        )
      : rawConcat(parts, last);
    const rest = rawSlice(x!, last, 2 * half, width);
    return [2 * half === width ? joined : rawConcat([joined, rest], last)];
  },
  examples: [
    rotaryExample('halves', [2, 3, 2, 4], [2, 3], { frequencies: [1, 0.1], interleaved: false, scale: 1 }),
    rotaryExample('neighbours', [2, 3, 2, 4], [2, 3], { frequencies: [1, 0.1], interleaved: true, scale: 1 }),
    rotaryExample('shared positions, partial', [2, 3, 1, 6], [3], {
      frequencies: [1, 0.5],
      interleaved: false,
      scale: 1.2,
    }),
    rotaryExample('empty', [0, 3, 2, 4], [0, 3], { frequencies: [1, 0.1], interleaved: false, scale: 1 }),
  ],
});

function rotaryExample(
  name: string,
  shape: readonly number[],
  positions: readonly number[],
  attributes: RotaryAttributes,
) {
  return { name, inputs: [{ shape }, { dtype: 'int32' as const, shape: positions, values: { below: 9 } }], attributes };
}

function halves(x: Symbolic, half: number): [Symbolic, Symbolic] {
  const last = x.axes.length - 1;
  return [rawSlice(x, last, 0, half), rawSlice(x, last, half, 2 * half)];
}

function neighbours(x: Symbolic, half: number): [Symbolic, Symbolic] {
  const last = x.axes.length - 1;
  const paired = rawReshape(x, [...x.axes, 'side'], [...x.shape.slice(0, -1), half, 2]);
  const side = (at: number): Symbolic =>
    rawReshape(rawSlice(paired, last + 1, at, at + 1), x.axes, [...x.shape.slice(0, -1), half]);
  return [side(0), side(1)];
}

/** How `rotary` turns. */
export interface RotaryOptions {
  /** Radians per position of each pair; `rotaryFrequencies` makes the usual ones. */
  readonly frequencies: readonly number[];
  readonly interleaved?: boolean;
  readonly scale?: number;
}

/**
 * The usual frequencies, `base ** (-2i / size)` for pair i (Su et al. 2021).
 *
 * @param size How many elements of a head are turned, an even number.
 */
export function rotaryFrequencies(size: number, base = 10_000): number[] {
  if (!Number.isInteger(size) || size < 0 || size % 2 !== 0) {
    throw new UserLlmError('bad-argument', { what: 'rotaryFrequencies', expected: 'an even size', got: `${size}` });
  }
  return Array.from({ length: size / 2 }, (_, pair) => base ** ((-2 * pair) / size));
}

/**
 * Rotary position embedding (Su et al. 2021): pairs of elements turned by an angle that grows with the position.
 *
 * @param x `[...L, T, H, S]`: positions T, heads H, head size S.
 * @param positions `[T]` or `[..., T]`, whole numbers.
 * @returns As `x`.
 */
export function rotary<A extends Axes, P extends readonly A[number][]>(
  x: Float<A>,
  positions: Symbolic<'int32', P>,
  { frequencies, interleaved = false, scale = 1 }: RotaryOptions,
): Float<A> {
  return applyOne(rotaryOperator, [x, positions], { frequencies, interleaved, scale }) as Float<A>;
}
