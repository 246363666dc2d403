import { describe, expect, it } from 'vitest';
import { evaluate, operators, type Operator } from '../src/index.js';
import { exampleCases, gradientCase, gradientError } from '../src/testing/index.js';

const withoutExamples = ['constant', 'input'];

describe.each(Object.entries(operators) as [string, Operator][])('%s', (name, operator) => {
  it('is named as in the table and has examples', () => {
    expect(operator.name).toBe(name);
    expect(operator.examples.length > 0).toBe(!withoutExamples.includes(name));
  });

  for (const example of exampleCases(operator)) {
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
});
