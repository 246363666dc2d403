import { describe, expect, it } from 'vitest';
import { evaluate, operators, type Operator, type OperatorName, type Size } from '../src/index.js';
import { exampleCases, gradientCase, gradientError, type ExampleCase } from '../src/testing/index.js';

/** Operators without examples: programs feed or hold what they stand for. */
const withoutExamples: readonly OperatorName[] = ['constant', 'input'];
/** Operators without the edge shapes, and why. */
const withoutEdges: Partial<Record<OperatorName, string>> = {
  constant: 'has no examples',
  input: 'has no examples',
  sizeValue: 'one number, which has no axes',
};

/** Shapes of the inputs, or of the outputs where the inputs have no axes. */
function shapesOf({ inputs, outputs }: ExampleCase): readonly (readonly Size[])[] {
  const given = inputs.map(({ shape }) => shape);
  return given.some((shape) => shape.length > 0) ? given : outputs.map(({ shape }) => shape);
}

/** Whether the outputs keep their shapes when one size of one input is another. */
function keepsShapes({ operator, inputs, outputs, attributes }: ExampleCase, at: number, axis: number, size: number) {
  const changed = inputs.map((input, index) => ({
    dtype: input.dtype,
    axes: input.axes,
    shape: index === at ? input.shape.map((own, place) => (place === axis ? size : own)) : input.shape,
  }));
  try {
    const types = operator.infer(changed, attributes);
    return outputs.every(({ shape }, index) => `${types[index]!.shape}` === `${shape}`);
  } catch {
    return false;
  }
}

/** The sizes of the inputs, each with its place, and those of the outputs that are no edge. */
function sizesOf({ inputs, outputs }: ExampleCase) {
  const given = inputs.flatMap(({ shape }, at) =>
    shape.map((size, axis) => ({ at, axis, size: size as number, shape })),
  );
  return { given, made: outputs.flatMap(({ shape }) => shape as readonly number[]).filter((size) => size > 1) };
}

/** Whether a size of an input could be 1 just as well, and would be stretched; without elements anything fits. */
function couldStretch(example: ExampleCase): boolean {
  const { given, made } = sizesOf(example);
  return given.some(
    ({ at, axis, size, shape }) =>
      made.includes(size) &&
      !shape.includes(0) &&
      shape.filter((own) => own === size).length === 1 &&
      keepsShapes(example, at, axis, 1),
  );
}

/** Whether a size 1 of an input is stretched. */
function stretches(example: ExampleCase): boolean {
  const { given, made } = sizesOf(example);
  return given.some(
    ({ at, axis, size }) => size === 1 && made.some((wanted) => keepsShapes(example, at, axis, wanted)),
  );
}

describe.each(Object.entries(operators) as [OperatorName, Operator][])('%s', (name, operator) => {
  const examples = exampleCases(operator);

  it('is named as in the table and has examples', () => {
    expect(operator.name).toBe(name);
    expect(examples.length > 0).toBe(!withoutExamples.includes(name));
  });

  it('has examples of the edge shapes', () => {
    const some = (size: number) =>
      examples.filter((example) => shapesOf(example).some((shape) => shape.includes(size)));
    const nonempty = some(1).filter((example) => !some(0).includes(example));
    const edges = { empty: some(0).length > 0, 'size 1': nonempty.length > 0 };
    const wanted = !Object.hasOwn(withoutEdges, name);
    expect(edges).toEqual({ empty: wanted, 'size 1': wanted });
    if (examples.some(couldStretch)) expect(examples.filter(stretches)).not.toHaveLength(0);
  });

  for (const example of examples) {
    it(`infers what the reference kernel makes: ${example.title}`, () => {
      const results = evaluate(example.graph, example.feeds);
      example.outputs.forEach((output, at) => {
        expect(results[`y${at}`]!.shape).toEqual(output.shape);
        expect(results[`y${at}`]!.dtype).toBe(output.dtype);
        expect(results[`y${at}`]!.data.length).toBe((output.shape as number[]).reduce((a, b) => a * b, 1));
      });
    });

    const differentiable = gradientCase(example);
    if (!differentiable) continue;
    it(`has the gradient of finite differences: ${example.title}`, () => {
      expect(gradientError(differentiable)).toBeLessThan(1e-6);
    }, 60_000);
  }

  it('has a gradient that is tested, where it has one', () => {
    const ruled = operator.kind === 'primitive' ? operator.gradient !== 'none' : true;
    if (examples.length > 0) expect(examples.some((example) => gradientCase(example) !== undefined)).toBe(ruled);
  });
});
