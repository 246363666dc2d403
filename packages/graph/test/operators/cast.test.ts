import { describe, expect, it } from 'vitest';
import { operators } from '../../src/index.js';
import { exampleCases, gradientCase, gradientError } from '../../src/testing/index.js';

describe('cast', () => {
  it.each(['float64', 'float16', 'bfloat16'] as const)(
    'to %s brings the gradient back in the dtype it came in',
    (dtype) => {
      const [found] = exampleCases({
        ...operators.cast,
        examples: [{ name: dtype, inputs: [{ shape: [2, 3] }], attributes: { dtype } }],
      });
      const differentiable = gradientCase(found!)!;
      expect(found!.outputs[0]!.dtype).toBe(dtype);
      expect(differentiable.graph.outputs['dx0']!.dtype).toBe('float32');
      expect(gradientError(differentiable)).toBeLessThan(1e-6);
    },
  );

  it('to whole numbers and conditions lets no gradient through', () => {
    for (const dtype of ['int32', 'bool'] as const) {
      const examples = [{ name: dtype, inputs: [{ shape: [3] }], attributes: { dtype } }];
      expect(gradientCase(exampleCases({ ...operators.cast, examples })[0]!)).toBeUndefined();
    }
  });
});
