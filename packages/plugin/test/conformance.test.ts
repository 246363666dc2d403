import {
  bindFeeds,
  bindGiven,
  evaluate,
  feedShapes,
  graphFor,
  multiply,
  requireCarry,
  requireOutputs,
  requireSameType,
  toReference,
  type Graph,
  type Optimizer,
  type Program,
  type Runtime,
  type Value,
} from '@user-llm/graph';
import { Tensor, UserLlmError } from '@user-llm/tensor';
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

/** A value of the reference runtime. */
class Held implements Value {
  readonly axes;
  readonly dtype;
  readonly shape;
  tensor: Tensor;
  constructor(tensor: Tensor) {
    this.tensor = tensor;
    ({ axes: this.axes, dtype: this.dtype, shape: this.shape } = tensor);
  }
  read = () => Promise.resolve(this.tensor);
  write(tensor: Tensor): void {
    requireSameType('write', this, tensor);
    this.tensor = tensor;
  }
  dispose = () => undefined;
}

/** What a runtime may get wrong. */
interface Wrong {
  /** What every element is off by. */
  readonly error?: number;
  /** Forgets to write into the values given, to check them, or to read what was frozen. */
  readonly ignores?: 'into' | 'misfits' | 'frozen';
}

/** The reference kernels behind the interface of runtimes, right but for what `wrong` names. */
function reference({ error = 0, ignores }: Wrong = {}): Runtime {
  const value = (tensor: Tensor) => new Held(tensor);
  const compile = async (graph: Graph, frozen: Readonly<Record<string, Tensor>> = {}): Promise<Program> => {
    const { fed, bound } = bindGiven(graph, ignores === 'frozen' ? {} : frozen);
    let disposed = false;
    return Promise.resolve({
      run: async (feeds, { into = {} } = {}) => {
        if (disposed) throw new UserLlmError('disposed', { what: 'program' });
        const bindings = bindFeeds(fed, feeds, bound);
        const tensors = Object.entries({ ...feeds, ...(ignores !== 'frozen' && frozen) }).map(
          ([name, feed]) => [name, feed instanceof Held ? feed.tensor : (feed as Tensor)] as const,
        );
        if (ignores !== 'misfits') requireOutputs(graph, into, bindings);
        const arrays = tensors.map(([name, tensor]) => [name, toReference(tensor)] as const);
        const results = Object.entries(evaluate(graph, Object.fromEntries(arrays))).map(
          ([name, { dtype, shape, data }]) => {
            const moved = dtype === 'float32' ? data.map((element) => element + error) : data;
            const { axes } = graph.outputs[name]!;
            const made = new Tensor('float64', axes, shape, moved).cast(dtype) as Tensor;
            const target = ignores === 'into' ? undefined : into[name];
            target?.write(made);
            return [name, target ?? value(made)] as const;
          },
        );
        return Object.fromEntries(results);
      },
      dispose: () => void (disposed = true),
    });
  };
  return {
    name: 'reference',
    value,
    compile,
    compileTrainStep: async (source, options) => {
      const { carry, initial, frozen } = options;
      const bind = (graph: Graph) => {
        requireCarry(graph, options);
        return bindGiven(graph, { ...initial, ...frozen });
      };
      if (typeof source !== 'function') bind(source);
      let disposed = false;
      const state: Record<string, Value> = Object.fromEntries(
        Object.entries(initial).map(([name, tensor]) => [name, value(tensor)]),
      );
      const run: Program['run'] = async (feeds) => {
        if (disposed) throw new UserLlmError('disposed', { what: 'step' });
        const graph = graphFor(source, feedShapes(feeds));
        const { fed, bound } = bind(graph);
        bindFeeds(fed, feeds, bound);
        const results = await (await compile(graph, frozen)).run({ ...feeds, ...state });
        for (const [name, output] of Object.entries(carry)) state[name] = results[output]!;
        const carried = new Set(Object.values(carry));
        return Object.fromEntries(Object.entries(results).filter(([name]) => !carried.has(name)));
      };
      return { state, run, dispose: () => void (disposed = true) };
    },
    dispose: () => undefined,
  };
}

describe('runtimeChecks', () => {
  it('accepts the reference kernels', async () => {
    const checks = runtimeChecks(() => Promise.resolve(reference()));
    expect(checks.length).toBeGreaterThan(300);
    for (const check of checks) await check.run();
  });

  it('refuses kernels that are off by a little', async () => {
    const checks = runtimeChecks(() => Promise.resolve(reference({ error: 1e-3 }))).filter(
      ({ name }) => name === 'add: same shape',
    );
    await expect(checks[0]!.run()).rejects.toMatchObject({ code: 'not-conforming' });
  });

  for (const [ignores, name, code] of [
    ['into', 'an output is written into the value given for it', 'not-conforming'],
    ['into', 'a run may write the value that it reads', 'not-conforming'],
    ['misfits', 'a value that does not fit an output is refused', 'not-conforming'],
    ['frozen', 'inputs are given once and read in every run', 'missing-feed'],
  ] as const)
    it(`refuses a runtime that ignores ${ignores}: ${name}`, async () => {
      const check = runtimeChecks(() => Promise.resolve(reference({ ignores }))).find((each) => each.name === name);
      await expect(check!.run()).rejects.toMatchObject({ code });
    });
});
