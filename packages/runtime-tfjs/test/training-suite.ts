import {
  add,
  dropout,
  embed,
  evaluate,
  gelu,
  gradients,
  graph,
  input,
  matmul,
  matmulTransposed,
  multiply,
  rmsNorm,
  sparseCrossEntropy,
  subtract,
  toReference,
  type Graph,
} from '@user-llm/graph';
import { Random, Tensor, type Axes, type Id } from '@user-llm/tensor';
import { beforeAll, expect, test } from 'vitest';
import { TfjsRuntime, type TrainStep } from '../src/index.js';
import { describeEngines } from './engines.js';

const [items, width, batch] = [7, 6, 5];

/** A small next-item model with tied output, trained by gradient descent: parameters, a counter of steps, a loss. */
function model(rate: number): Graph {
  const table = input('table', 'float32', ['item', 'width'], [items, width]);
  const inner = input('inner', 'float32', ['width', 'hidden'], [width, 8]);
  const outer = input('outer', 'float32', ['hidden', 'width'], [8, width]);
  const gain = input('gain', 'float32', ['width'], [width]);
  const step = input('step', 'int32', [], []);
  const last = input('last', 'int32' as Id<'item'>, ['user'], [batch]);
  const next = input('next', 'int32' as Id<'item'>, ['user'], [batch]);
  const events = embed(table, last);
  const mixed = add(events, matmul(dropout(gelu(matmul(events, inner)), 0.1, step, 1), outer));
  const logits = matmulTransposed(rmsNorm(mixed, gain, 1e-6), table);
  const loss = sparseCrossEntropy(logits, next as never);
  const parameters = { table, inner, outer, gain };
  const slopes = gradients(loss, parameters);
  const updated = Object.entries(parameters).map(([name, parameter]) => {
    const slope = slopes[name as keyof typeof slopes];
    return [`${name}.next`, subtract(parameter as never, multiply(slope as never, rate as never) as never)] as const;
  });
  return graph([table, inner, outer, gain, step, last, next], {
    loss,
    'step.next': add(step, 1),
    ...Object.fromEntries(updated),
  });
}

const carry = Object.fromEntries(['table', 'inner', 'outer', 'gain', 'step'].map((name) => [name, `${name}.next`]));

function initial(): Record<string, Tensor> {
  const random = Random.fromSeed(3);
  const normal = (name: string, axes: Axes, shape: number[]): Tensor => {
    const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
    random.split(name).normal(data);
    return new Tensor(
      'float64',
      axes,
      shape,
      data.map((value) => 0.3 * value),
    ).cast('float32') as Tensor;
  };
  return {
    table: normal('table', ['item', 'width'], [items, width]),
    inner: normal('inner', ['width', 'hidden'], [width, 8]),
    outer: normal('outer', ['hidden', 'width'], [8, width]),
    gain: new Tensor('float32', ['width'], [width], new Float32Array(width).fill(1)) as Tensor,
    step: new Tensor('int32', [], [], Int32Array.of(0)) as Tensor,
  };
}

const ids = (values: number[]): Tensor => new Tensor('int32', ['user'], [batch], Int32Array.from(values)) as Tensor;
const feeds = { last: ids([0, 1, 2, 2, 6]), next: ids([1, 2, 3, 3, 0]) };

async function train(step: TrainStep, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let at = 0; at < count; at++) {
    const { loss, ...others } = await step.run(feeds);
    expect(Object.keys(others)).toEqual([]);
    losses.push(Number(loss!.readSync().data[0]));
    loss!.dispose();
  }
  return losses;
}

/** The suite of training steps with engines on that many threads; an engine's threads are fixed once per process. */
export function trainingSuite(threads: number): void {
  describeEngines(`training steps with ${threads} threads`, (_, name) => {
    let runtime: TfjsRuntime;
    beforeAll(async () => {
      runtime = await TfjsRuntime.create({ engine: name, threads });
      expect(runtime.engine.threads).toBe(threads);
    });

    test('ten steps with dropout equal those of the reference kernels', async () => {
      const source = model(0.2);
      const step = await runtime.compileTrainStep(source, { carry, initial: initial() });
      const losses = await train(step, 10);
      let state = Object.fromEntries(Object.entries(initial()).map(([key, tensor]) => [key, toReference(tensor)]));
      const batchFed = Object.fromEntries(Object.entries(feeds).map(([key, tensor]) => [key, toReference(tensor)]));
      for (const loss of losses) {
        const outputs = evaluate(source, { ...state, ...batchFed });
        expect(loss).toBeCloseTo(outputs['loss']!.data[0]!, 5);
        state = Object.fromEntries(Object.entries(carry).map(([key, output]) => [key, outputs[output]!]));
      }
      for (const [key, { data }] of Object.entries(state)) {
        const got = Array.from(step.state[key]!.readSync().data, Number);
        const norm = Math.hypot(...data);
        expect(Math.hypot(...got.map((value, at) => value - data[at]!)), key).toBeLessThanOrEqual(1e-4 * norm);
      }
      await step.dispose();
    });

    test('the number of tensors is constant over 100 steps, and the loss falls', async () => {
      const { memory } = runtime.engine.tf;
      const before = memory().numTensors;
      const step = await runtime.compileTrainStep(model(0.2), { carry, initial: initial() });
      const first = await train(step, 1);
      const after = memory();
      const losses = await train(step, 100);
      expect(memory().numTensors).toBe(after.numTensors);
      expect(memory().numBytes).toBe(after.numBytes);
      expect(losses.at(-1)!).toBeLessThan(first[0]! / 2);
      await step.dispose();
      expect(memory().numTensors).toBe(before);
    });

    test('the same steps give the same bits', async () => {
      const run = async (): Promise<number[]> => {
        const step = await runtime.compileTrainStep(model(0.1), { carry, initial: initial() });
        const losses = await train(step, 20);
        const bits = Array.from(step.state['table']!.readSync().data, Number);
        await step.dispose();
        return [...losses, ...bits];
      };
      expect(await run()).toEqual(await run());
    });

    test('one step at a time, and a step that fails changes nothing', async () => {
      const step = await runtime.compileTrainStep(model(0.1), { carry, initial: initial() });
      const running = step.run(feeds);
      await expect(step.run(feeds)).rejects.toMatchObject({ code: 'busy' });
      (await running)['loss']!.dispose();
      const before = [...step.state['table']!.readSync().data];
      await expect(step.run({ ...feeds, last: ids([0, 0, 0, 0, items]) })).rejects.toMatchObject({
        code: 'out-of-range',
      });
      expect([...step.state['table']!.readSync().data]).toEqual(before);
      await step.dispose();
      await expect(step.run(feeds)).rejects.toMatchObject({ code: 'disposed' });
    });

    test('a step with a loss that is not finite leaves the state as it was', async () => {
      const rate = model(0.1);
      const step = await runtime.compileTrainStep(rate, { carry, initial: initial(), requireFinite: ['loss'] });
      const broken = initial()['table']!;
      (broken.data as Float32Array).fill(Number.NaN);
      const sound = step.state['table']!.readSync();
      step.state['table']!.write(broken);
      await expect(step.run(feeds)).rejects.toMatchObject({ code: 'not-finite' });
      step.state['table']!.write(sound);
      const { loss } = await step.run(feeds);
      expect(Number.isFinite(loss!.readSync().data[0] as number)).toBe(true);
      loss!.dispose();
      await step.dispose();
      const wrong = { carry, initial: initial(), requireFinite: ['table.next'] };
      await expect(runtime.compileTrainStep(rate, wrong)).rejects.toMatchObject({ code: 'bad-graph' });
    });

    test('what is carried must fit', async () => {
      const source = model(0.1);
      const make = (wrong: Record<string, string>, start = initial()) =>
        runtime.compileTrainStep(source, { carry: wrong, initial: start });
      await expect(make({ nothing: 'loss' })).rejects.toThrow(/no such input/);
      await expect(make({ table: 'nothing' })).rejects.toThrow(/no such output/);
      await expect(make({ table: 'inner.next' })).rejects.toThrow(/different types/);
      await expect(make(carry, {})).rejects.toThrow(expect.objectContaining({ code: 'missing-feed' }) as Error);
    });
  });
}
