import { UserLlmError } from '@user-llm/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, operators, type Example, type ExampleInput, type Operator } from '../src/index.js';
import { exampleCases, gradientCase, gradientError, type ExampleCase } from '../src/testing/index.js';

/** Cases of an operator whose gradients are compared have at most this many real elements: each costs two runs. */
const mostElements = 24;

/** Attributes that name sizes of the operator's tensors. */
const sizeAttributes = ['shape', 'size', 'sizes', 'k'];

type Sizes = ReadonlyMap<number, number>;

/** An example with other sizes: all axes of one size get another one together, as do attributes and bounds of indices. */
function resized<A extends object>(example: Example<A>, sizes: Sizes): Example<A> | undefined {
  const other = (size: number): number => sizes.get(size) ?? size;
  const inputs = example.inputs.map((input): ExampleInput | undefined => {
    const shape = input.shape.map(other);
    const { values } = input;
    if (Array.isArray(values)) {
      const numbers = values as readonly number[];
      const count = shape.reduce((product, size) => product * size, 1);
      if (count > 0 && numbers.length === 0) return undefined;
      return { ...input, shape, values: Array.from({ length: count }, (_, at) => numbers[at % numbers.length]!) };
    }
    const bounded = typeof values === 'object' && input.dtype === 'int32';
    return { ...input, shape, ...(bounded && { values: { below: other((values as { below: number }).below) } }) };
  });
  if (inputs.includes(undefined)) return undefined;
  const attributes = Object.entries(example.attributes).map(([name, value]: [string, unknown]) => {
    if (!sizeAttributes.includes(name)) return [name, value];
    return [name, Array.isArray(value) ? (value as number[]).map(other) : other(value as number)];
  });
  return { ...example, inputs: inputs as ExampleInput[], attributes: Object.fromEntries(attributes) as A };
}

/** The case of an example, or nothing where the operator refuses its shapes. */
function accepted(operator: Operator, example: Example<object>, seed: number): ExampleCase | undefined {
  try {
    return exampleCases({ ...operator, examples: [example] } as Operator, seed)[0];
  } catch (error) {
    if (UserLlmError.isInstance(error)) return undefined;
    throw error;
  }
}

/** What the reference kernels make, or nothing where an index is outside an axis that has become too short. */
function computed({ graph, feeds }: Pick<ExampleCase, 'graph' | 'feeds'>): ReturnType<typeof evaluate> | undefined {
  try {
    return evaluate(graph, feeds);
  } catch (error) {
    if (UserLlmError.isInstance(error) && error.code === 'out-of-range') return undefined;
    throw error;
  }
}

/** Random sizes for the sizes of an example, 1 kept at times so that it stays one that is stretched. */
function sizesOf(example: Example<object>): fc.Arbitrary<Sizes> {
  const given = [...new Set(example.inputs.flatMap(({ shape }) => shape))];
  const size = (own: number) => fc.oneof(fc.constant(own), fc.nat({ max: 4 }));
  return fc.tuple(...given.map((own) => fc.tuple(fc.constant(own), size(own)))).map((pairs) => new Map(pairs));
}

const tested = (Object.entries(operators) as [string, Operator][]).filter(([, { examples }]) =>
  examples.some(({ inputs }) => inputs.some(({ shape }) => shape.length > 0)),
);

describe.each(tested)('%s of random sizes', (_, operator) => {
  const examples = operator.examples as readonly Example<object>[];
  const cases = fc
    .constantFrom(...examples)
    .chain((example) => fc.tuple(fc.constant(example), sizesOf(example), fc.nat()))
    .map(([example, sizes, seed]) => {
      const other = resized(example, sizes);
      return other && accepted(operator, other, seed);
    })
    .filter((found) => found !== undefined);

  it('makes what it infers', () => {
    fc.assert(
      fc.property(cases, (found) => {
        const results = computed(found);
        fc.pre(results !== undefined);
        found.outputs.forEach((output, at) => {
          const { shape, dtype, data } = results![`y${at}`]!;
          expect({ shape, dtype }).toEqual({ shape: output.shape, dtype: output.dtype });
          expect(data).toHaveLength((output.shape as readonly number[]).reduce((product, size) => product * size, 1));
        });
      }),
      { numRuns: 40 },
    );
  });

  if (!exampleCases(operator).some((found) => gradientCase(found))) return;
  it('has the gradient of finite differences', () => {
    const small = cases.filter(
      ({ inputs }) =>
        inputs
          .filter(({ dtype }) => dtype === 'float32')
          .reduce((sum, { shape }) => sum + (shape as number[]).reduce((product, size) => product * size, 1), 0) <=
        mostElements,
    );
    fc.assert(
      fc.property(small, (found) => {
        const differentiable = gradientCase(found);
        fc.pre(differentiable !== undefined);
        const results = computed(differentiable!);
        // A mean of nothing is NaN, and so is all that comes of it.
        fc.pre(results !== undefined && !Number.isNaN(results['loss']!.data[0]));
        expect(gradientError(differentiable!)).toBeLessThan(1e-6);
      }),
      // The same cases each time: a normalisation of numbers near 0 bends too much for finite differences.
      { numRuns: 20, seed: 20 },
    );
  });
});
