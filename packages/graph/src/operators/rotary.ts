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
  /** Heads that lie side by side in the last axis of what is turned. */
  readonly heads: number;
  /** Whether pairs are neighbours (llama2.c, GPT-J) rather than half a head apart (Llama, Mistral, Qwen, Gemma in Hugging Face's order). */
  readonly interleaved: boolean;
}

/**
 * Pairs of elements of each head turned by an angle: `x [..., T, H*S]`, cosines and sines `[T, P]` or `[..., T, P]`, one
 * for each of P pairs. Elements beyond the pairs are left as they are.
 */
export const rotaryOperator = defineComposite<RotaryAttributes>({
  name: 'rotary',
  infer: ([x, cosine, sine], { heads }) => {
    requireFloat('rotary', x!, cosine!, sine!);
    const width = x!.shape.at(-1);
    const pairs = cosine!.shape.at(-1);
    const [lines, turned] = [x!.shape.slice(0, -1), cosine!.shape.slice(0, -1)];
    const fits =
      typeof width === 'number' &&
      typeof pairs === 'number' &&
      width % heads === 0 &&
      2 * pairs <= width / heads &&
      sameShape(cosine!.shape, sine!.shape) &&
      sameShape(lines.slice(lines.length - turned.length), turned) &&
      [cosine!, sine!].every(({ dtype }) => dtype === x!.dtype);
    if (!fits) {
      const expected = `x of [..., position, ${heads} heads], and one angle for each position and pair of a head`;
      throw mismatch('rotary', expected, [x!, cosine!, sine!]);
    }
    return [x!];
  },
  decompose: ([x, cosines, sines], { heads, interleaved }) => {
    const half = cosines!.shape.at(-1) as number;
    const size = (x!.shape.at(-1) as number) / heads;
    const lines = x!.shape.slice(0, -1);
    const x_THS = rawReshape(x!, [...x!.axes.slice(0, -1), 'head', 'headSize'], [...lines, heads, size]);
    const last = lines.length + 1;
    const [cosine, sine] = [cosines!, sines!].map((angle) =>
      rawReshape(angle, [...angle.axes.slice(0, -1), 'head', 'pair'], [...angle.shape.slice(0, -1), 1, half]),
    );
    const turned = rawSlice(x_THS, last, 0, 2 * half);
    const [first, second] = interleaved ? neighbours(turned, half) : halves(turned, half);
    const parts = [
      rawSubtract(rawMultiply(first, cosine!), rawMultiply(second, sine!)),
      rawAdd(rawMultiply(second, cosine!), rawMultiply(first, sine!)),
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
    const rest = rawSlice(x_THS, last, 2 * half, size);
    return [rawReshape(2 * half === size ? joined : rawConcat([joined, rest], last), x!.axes, x!.shape)];
  },
  onnx: (emitter, [x, cosine, sine], { attributes: { heads, interleaved } }) => {
    const pairs = cosine!.shape.at(-1) as number;
    if (x!.dtype !== 'float32' || x!.shape.length !== 3 || pairs === 0) return undefined;
    const angles = [cosine!, sine!].map(({ name, shape }) =>
      shape.length === 3 ? name : emitter.emit('Expand', [name, emitter.sizes([...x!.shape.slice(0, -1), pairs])])[0]!,
    );
    return emitter.emit('RotaryEmbedding', [x!.name, ...angles], {
      num_heads: { int: heads },
      rotary_embedding_dim: { int: 2 * pairs },
      interleaved: { int: interleaved ? 1 : 0 },
    });
  },
  examples: [
    rotaryExample('halves', [2, 3, 8], [2, 3, 2], { heads: 2, interleaved: false }),
    rotaryExample('neighbours', [2, 3, 8], [2, 3, 2], { heads: 2, interleaved: true }),
    rotaryExample('shared angles, partial', [2, 3, 6], [3, 2], { heads: 1, interleaved: false }),
    rotaryExample('shared angles, partial, neighbours', [2, 3, 12], [3, 2], { heads: 2, interleaved: true }),
    rotaryExample('long heads', [1, 2, 68], [1, 2, 16], { heads: 2, interleaved: false }),
    rotaryExample('long heads, neighbours', [1, 2, 68], [1, 2, 17], { heads: 2, interleaved: true }),
    rotaryExample('no batch', [3, 8], [3, 2], { heads: 2, interleaved: false }),
    rotaryExample('empty', [0, 3, 8], [0, 3, 2], { heads: 2, interleaved: false }),
    rotaryExample('no positions', [2, 0, 8], [0, 2], { heads: 2, interleaved: false }),
    rotaryExample('no pairs', [2, 3, 8], [3, 0], { heads: 2, interleaved: false }),
  ],
});

function rotaryExample(
  name: string,
  shape: readonly number[],
  angles: readonly number[],
  attributes: RotaryAttributes,
) {
  return { name, inputs: [{ shape }, { shape: angles }, { shape: angles }], attributes };
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
  /** Whether pairs are neighbours rather than half a head apart. */
  readonly interleaved?: boolean;
  /** What sine and cosine are multiplied with, 1 but for YaRN. */
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
 * @throws UserLlmError `shape-mismatch` unless H and S are known when the graph is built, S has room for all pairs, and
 *   there is one position for each of T.
 */
export function rotary<A extends Axes, P extends readonly A[number][]>(
  x: Float<A>,
  positions: Symbolic<'int32', P>,
  { frequencies, interleaved = false, scale = 1 }: RotaryOptions,
): Float<A> {
  requireDType('rotary', 'int32', positions);
  const [heads, size] = x.shape.slice(-2);
  if (x.shape.length < 2 || typeof heads !== 'number' || typeof size !== 'number') {
    throw mismatch('rotary', 'x of [..., position, head, headSize], the last two known when the graph is built', [x]);
  }
  const angles = rawMultiply(
    rawReshape(rawCast(positions, x.dtype), [...positions.axes, 'pair'], [...positions.shape, 1]),
    constant(
      new Tensor('float64', ['pair'], [frequencies.length], Float64Array.from(frequencies)).cast(x.dtype) as Tensor,
    ),
  );
  const [cosine, sine] = [cosineOperator, sineOperator].map((operator) => {
    const value = applyOne(operator, [angles], {});
    return scale === 1 ? value : rawMultiply(value, scalarLike(value, scale));
  });
  // Heads stay joined, as linear maps give and take them, so that no element moves.
  const joined = rawReshape(x, [...x.axes.slice(0, -2), 'heads'], [...x.shape.slice(0, -2), heads * size]);
  const turned = applyOne(rotaryOperator, [joined, cosine!, sine!], { heads, interleaved });
  return rawReshape(turned, x.axes, x.shape) as Float<A>;
}

/** Cosines and sines of all positions there can be, and which elements they turn. */
export interface RotaryTables {
  /** `[position, pair]` */
  readonly cosine: Float<readonly ['position', 'pair']>;
  /** As `cosine`. */
  readonly sine: Float<readonly ['position', 'pair']>;
  readonly interleaved: boolean;
}

/**
 * The turns of `rotary` for positions from 0 on, as constants: where many layers turn by the same ones, and an operator
 * looks them up by itself.
 */
export function rotaryTables(
  positions: number,
  { frequencies, interleaved = false, scale = 1 }: RotaryOptions,
): RotaryTables {
  const pairs = frequencies.length;
  const rounded = Float32Array.from(frequencies);
  const table = (of: (angle: number) => number): RotaryTables['cosine'] => {
    const values = new Float32Array(positions * pairs);
    for (let at = 0; at < values.length; at++)
      values[at] = Math.fround(of(Math.fround(Math.floor(at / pairs) * rounded[at % pairs]!))) * scale;
    return constant(new Tensor('float32', ['position', 'pair'], [positions, pairs], values));
  };
  return { cosine: table(Math.cos), sine: table(Math.sin), interleaved };
}
