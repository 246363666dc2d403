import {
  evaluate,
  multiply,
  toReference,
  type Graph,
  type Optimizer,
  type Program,
  type Runtime,
} from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { optimizerChecks, runtimeChecks } from '../src/testing/index.js';

const descent: Optimizer = {
  name: 'descent',
  init: () => ({}),
  update: (gradients) => ({
    updates: Object.fromEntries(
      Object.entries(gradients).map(([name, slope]) => [name, multiply(slope as never, -0.3 as never)]),
    ),
    state: {},
  }),
};

describe('optimizerChecks', () => {
  for (const check of optimizerChecks(() => descent)) it(`accepts gradient descent: ${check.name}`, () => check.run());

  it('refuses an optimizer that climbs', async () => {
    const climbing: Optimizer = { ...descent, update: (gradients) => ({ updates: gradients, state: {} }) };
    const verdicts = await Promise.allSettled(optimizerChecks(() => climbing).map((check) => check.run()));
    expect(verdicts.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'not-conforming' } });
  });
});

/** The reference kernels behind the interface of runtimes, off by `error`. */
function reference(error: number): Runtime {
  const value = (tensor: Tensor) => ({
    dtype: tensor.dtype,
    axes: tensor.axes,
    shape: tensor.shape,
    read: () => Promise.resolve(tensor),
    write: () => undefined,
    dispose: () => undefined,
  });
  const compile = (graph: Graph): Promise<Program> =>
    Promise.resolve({
      run: (feeds) => {
        const arrays = Object.entries(feeds).map(([name, feed]) => [name, toReference(feed as Tensor)] as const);
        const results = Object.entries(evaluate(graph, Object.fromEntries(arrays))).map(
          ([name, { dtype, shape, data }]) => {
            const moved = dtype === 'float32' ? data.map((element) => element + error) : data;
            const axes = shape.map((_, axis) => `axis${axis}`);
            return [name, value(new Tensor('float64', axes, shape, moved).cast(dtype) as Tensor)] as const;
          },
        );
        return Promise.resolve(Object.fromEntries(results));
      },
      dispose: () => undefined,
    });
  return {
    name: 'reference',
    value,
    compile,
    compileTrainStep: () => Promise.reject(new Error('not needed')),
    dispose: () => undefined,
  };
}

describe('runtimeChecks', () => {
  it('accepts the reference kernels', async () => {
    const checks = runtimeChecks(() => Promise.resolve(reference(0)));
    expect(checks.length).toBeGreaterThan(300);
    for (const check of checks) await check.run();
  });

  it('refuses kernels that are off by a little', async () => {
    const checks = runtimeChecks(() => Promise.resolve(reference(1e-3))).filter(
      ({ name }) => name === 'add: same shape',
    );
    await expect(checks[0]!.run()).rejects.toMatchObject({ code: 'not-conforming' });
  });
});
