import type { Feeds } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OnnxRuntime, type OnnxStatefulProgram } from '../src/index.js';
import { attentionModel, normal, numbers, perceptron, type Trained } from './support/models.js';

const models: readonly (readonly [string, () => Trained])[] = [
  ['a perceptron', () => perceptron(16)],
  ['an attention model', () => attentionModel(4, 6)],
];

function compile(runtime: OnnxRuntime, { graphs, initial, frozen }: Trained): Promise<OnnxStatefulProgram> {
  return runtime.compileTrainStep(graphs.fused, { carry: graphs.carry, initial, frozen });
}

function stateOf(step: OnnxStatefulProgram): Record<string, number[]> {
  return Object.fromEntries(Object.entries(step.state).map(([name, value]) => [name, numbers(value.readSync())]));
}

async function lossesOf(step: OnnxStatefulProgram, feeds: Feeds, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let at = 0; at < count; at++) losses.push(numbers((await step.run(feeds))['loss']!.readSync())[0]!);
  return losses;
}

describe.each([1, 2])('training on %d threads', (threads) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  });
  afterAll(() => runtime.dispose());

  test.each(models)('%s: 20 steps give the same bits again, and learn', async (_, make) => {
    const run = async (): Promise<[number[], Record<string, number[]>]> => {
      const model = make();
      const step = await compile(runtime, model);
      const losses = await lossesOf(step, model.feeds, 20);
      const state = stateOf(step);
      await step.dispose();
      return [losses, state];
    };
    const first = await run();
    expect(first[0].at(-1)!).toBeLessThan(first[0][0]!);
    expect(first[1]['step']).toEqual([20]);
    expect(await run()).toEqual(first);
  });

  test.each(models)('%s: one step repeated 20 times from the same state gives the same bits', async (_, make) => {
    const model = make();
    const step = await compile(runtime, model);
    const results = new Set<string>();
    for (let at = 0; at < 20; at++) {
      for (const [name, tensor] of Object.entries(model.initial)) step.state[name]!.write(tensor);
      const [loss] = await lossesOf(step, model.feeds, 1);
      results.add(JSON.stringify([loss, stateOf(step)]));
    }
    expect(results.size).toBe(1);
    await step.dispose();
  });

  test.each(models)('%s: fused equals gradients then update', async (_, make) => {
    const { graphs, initial, feeds, frozen } = make();
    const step = await runtime.compileTrainStep(graphs.fused, { carry: graphs.carry, initial, frozen });
    const gradients = await runtime.compile(graphs.gradients);
    const update = await runtime.compile(graphs.update);
    let state = initial;
    for (let at = 0; at < 5; at++) {
      const fused = await step.run(feeds);
      const held = Object.entries(state).filter(([name]) => name in graphs.gradients.inputs);
      const { loss, ...others } = await gradients.run({ ...feeds, ...Object.fromEntries(held) });
      const slopes = Object.entries(others).filter(([name]) => name.startsWith('gradient/'));
      const moved = await update.run({ ...Object.fromEntries(slopes), ...state });
      expect(numbers(fused['loss']!.readSync())[0]).toBeCloseTo(numbers(loss!.readSync())[0]!, 5);
      expect(numbers(fused['gradientNorm']!.readSync())[0]).toBeCloseTo(
        numbers(moved['gradientNorm']!.readSync())[0]!,
        4,
      );
      state = Object.fromEntries(
        Object.entries(graphs.carry).map(([name, output]) => [name, moved[output]!.readSync()]),
      );
      for (const [name, tensor] of Object.entries(state)) {
        const wanted = numbers(tensor);
        const got = numbers(step.state[name]!.readSync());
        const difference = Math.hypot(...got.map((value, index) => value - wanted[index]!));
        expect(difference, name).toBeLessThanOrEqual(1e-6 * Math.hypot(...wanted));
      }
    }
    await Promise.all([step.dispose(), gradients.dispose(), update.dispose()]);
  });
});

describe('a training step', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 2 });
  });
  afterAll(() => runtime.dispose());

  test('alternates between two sets of buffers, and returns loss, norm and metrics', async () => {
    const model = perceptron(4);
    const step = await compile(runtime, model);
    const memories: unknown[] = [];
    for (let at = 0; at < 4; at++) {
      memories.push(step.state['inner']!.memory.data);
      expect(Object.keys(await step.run(model.feeds)).sort()).toEqual(['activity', 'gradientNorm', 'loss']);
    }
    expect(memories[0]).not.toBe(memories[1]);
    expect(memories[2]).toBe(memories[0]);
    expect(memories[3]).toBe(memories[1]);
    await step.dispose();
  });

  test('compiles for each shape once, when it first comes', async () => {
    const asked: number[] = [];
    const source = perceptron(1);
    const step = await runtime.compileTrainStep(
      (shapes) => {
        const rows = shapes['x']![0]!;
        asked.push(rows);
        return perceptron(rows).graphs.fused;
      },
      { carry: source.graphs.carry, initial: source.initial },
    );
    expect(asked).toEqual([]);
    for (const rows of [2, 7, 2, 7, 2]) await step.run(perceptron(rows).feeds);
    expect(asked).toEqual([2, 7]);
    expect(stateOf(step)['step']).toEqual([5]);
    await step.prepare({ x: [3, 5], y: [3, 3] });
    await step.run(perceptron(3).feeds);
    expect(asked).toEqual([2, 7, 3]);
    await step.dispose();
  });

  test('a model trained in shape buckets equals one trained by the split graphs of each shape', async () => {
    const source = perceptron(1);
    const step = await runtime.compileTrainStep((shapes) => perceptron(shapes['x']![0]!).graphs.fused, {
      carry: source.graphs.carry,
      initial: source.initial,
    });
    let state = source.initial;
    for (const rows of [2, 6, 2]) {
      const { graphs, feeds } = perceptron(rows);
      await step.run(feeds);
      const program = await runtime.compile(graphs.fused);
      const results = await program.run({ ...feeds, ...state });
      state = Object.fromEntries(Object.entries(graphs.carry).map(([n, output]) => [n, results[output]!.readSync()]));
      await program.dispose();
    }
    expect(stateOf(step)).toEqual(Object.fromEntries(Object.entries(state).map(([n, tensor]) => [n, numbers(tensor)])));
    await step.dispose();
  });

  test('frozen parameters serve all shapes, stay as they are, and change nothing else', async () => {
    const model = perceptron(4, { frozen: true });
    const before = numbers(model.frozen['inner']!);
    const step = await runtime.compileTrainStep(
      (shapes) => perceptron(shapes['x']![0]!, { frozen: true }).graphs.fused,
      {
        carry: model.graphs.carry,
        initial: model.initial,
        frozen: model.frozen,
      },
    );
    expect(Object.keys(step.state).sort()).toEqual(['momentum/outer', 'outer', 'step']);
    const fed = await runtime.compile(model.graphs.fused);
    const wanted = await fed.run({ ...model.feeds, ...model.initial, ...model.frozen });
    await step.run(model.feeds);
    expect(numbers(step.state['outer']!.readSync())).toEqual(numbers(wanted['next/outer']!.readSync()));
    await step.run(perceptron(9, { frozen: true }).feeds);
    expect(numbers(model.frozen['inner']!)).toEqual(before);
    await Promise.all([step.dispose(), fed.dispose()]);
  });

  test('a step that fails, or is aborted, or is not finite leaves the state as it was', async () => {
    const model = perceptron(4);
    const { carry, fused } = model.graphs;
    const step = await runtime.compileTrainStep(fused, {
      carry,
      initial: model.initial,
      requireFinite: ['loss', 'gradientNorm'],
    });
    await step.run(model.feeds);
    const before = stateOf(step);
    await expect(step.run(model.feeds, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const bad = normal('x', ['row', 'feature'], [4, 5]);
    bad.data[3] = NaN;
    await expect(step.run({ ...model.feeds, x: bad })).rejects.toMatchObject({
      code: 'not-finite',
      details: { what: 'output "loss"', got: 'NaN' },
    });
    await expect(step.run({ ...model.feeds, z: bad })).rejects.toMatchObject({ code: 'unknown-feed' });
    await expect(step.run({ x: bad })).rejects.toMatchObject({ code: 'missing-feed' });
    const double = model.feeds['x']!.cast('float64') as Tensor;
    await expect(step.run({ ...model.feeds, x: double })).rejects.toMatchObject({ code: 'dtype-mismatch' });
    const short = normal('x', ['row', 'feature'], [4, 4]);
    await expect(step.run({ ...model.feeds, x: short })).rejects.toMatchObject({ code: 'shape-mismatch' });
    expect(stateOf(step)).toEqual(before);
    const running = step.run(model.feeds);
    await expect(step.run(model.feeds)).rejects.toMatchObject({ code: 'busy' });
    await running;
    expect(stateOf(step)['step']).toEqual([2]);
    await step.dispose();
    await expect(step.run(model.feeds)).rejects.toMatchObject({ code: 'disposed' });
  });

  test('hands back a loss that is not finite where that is not asked about', async () => {
    const model = perceptron(4);
    const step = await compile(runtime, model);
    const bad = normal('x', ['row', 'feature'], [4, 5]);
    bad.data[0] = NaN;
    expect(numbers((await step.run({ ...model.feeds, x: bad }))['loss']!.readSync())).toEqual([NaN]);
    await step.dispose();
  });

  test('says what cannot be carried or required', async () => {
    const { graphs, initial, feeds } = perceptron(4);
    const make = async (carry: Record<string, string>, requireFinite: string[] = []) => {
      const step = await runtime.compileTrainStep(graphs.fused, {
        carry,
        initial: { ...initial, x: feeds['x']! },
        requireFinite,
      });
      try {
        await step.run({});
      } finally {
        await step.dispose();
      }
    };
    await expect(make({ x: 'loss' })).rejects.toMatchObject({ code: 'bad-graph' });
    await expect(make({ outer: 'nothing' })).rejects.toThrow(/no such output/);
    await expect(make({ ...graphs.carry, x: 'next/outer' })).rejects.toMatchObject({ code: 'bad-graph' });
    await expect(make(graphs.carry, ['next/outer'])).rejects.toThrow(/requireFinite "next\/outer"/);
    await expect(make(graphs.carry, ['nothing'])).rejects.toThrow(/no such output/);
  });
});
