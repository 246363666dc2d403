import {
  graph,
  initializeParameters,
  input,
  parameterInputs,
  trainStepGraphs,
  type Runtime,
  type Symbolic,
} from '@user-llm/graph';
import { adamW } from '@user-llm/optimizers';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { maxDifference, Random, scalar, Tensor, tensor } from '@user-llm/tensor';
import { expect, it } from 'vitest';
import { eventInputs } from '../src/index.js';
import { composeTiny, features } from './support.js';

const batch = {
  'events.item': tensor(
    'int32',
    ['batch', 'event'],
    [
      [3, 4, 5, 3],
      [6, 7, 0, 0],
    ],
  ),
  'events.rating': tensor(
    'int32',
    ['batch', 'event'],
    [
      [3, 4, 5, 6],
      [6, 7, 0, 0],
    ],
  ),
  'events.genres': tensor(
    'int32',
    ['batch', 'event', 'slot'],
    [
      [
        [3, 4],
        [5, 0],
        [6, 0],
        [3, 5],
      ],
      [
        [3, 0],
        [4, 0],
        [0, 0],
        [0, 0],
      ],
    ],
  ),
  'events.mask': tensor(
    'bool',
    ['batch', 'event'],
    [
      [true, true, true, true],
      [true, true, false, false],
    ],
  ),
  tokens: tensor(
    'int32',
    ['batch', 'token'],
    [
      [1, 5, 9, 13, 2],
      [2, 4, 6, 8, 0],
    ],
  ),
  rows: tensor('int32', ['row'], [2, 3, 6, 7, 0]),
  labels: tensor('int32', ['row'], [13, 2, 6, 8, -100]),
};

/** Three steps of AdamW on the loss of answers: everything trained, LoRA and dropout included. */
async function trained(runtime: Runtime): Promise<Record<string, Tensor>> {
  const model = composeTiny({
    lora: { rank: 2, alpha: 4, dropout: 0.2, targets: ['*'] },
    fusion: { name: 'both', config: { crossAttention: { heads: 2, feedForward: {} } } },
  });
  const { tree, named } = parameterInputs(model.parameters);
  const seed = input('seed', 'int32', [], []);
  const events = eventInputs(features, 2, 4, seed);
  const tokens = input('tokens', 'int32', ['batch', 'token'], [2, 5]);
  const rows = input('rows', 'int32', ['row'], [5]);
  const labels = input('labels', 'int32', ['row'], [5]);
  const context = model.userContext(tree, events.batch);
  const loss = model.loss(tree, { tokens, rows, labels, context, seed });
  const used = graph([...events.inputs, tokens, rows, labels, seed, ...Object.values(named)], { loss });
  const read = new Set(used.nodes.flatMap(({ inputs }) => inputs.map(({ node }) => node)));
  const parameters: Record<string, Symbolic> = Object.fromEntries(
    Object.entries(named).filter(([, { node }]) => read.has(node)),
  );
  // An epsilon that hides the rounding of gradients that are 0 in exact numbers, which Adam would blow up.
  const optimizer = adamW({ learningRate: 0.01, weightDecay: 0.05, epsilon: 1e-4 });
  const inputs = [...events.inputs, tokens, rows, labels, seed, ...Object.values(parameters)];
  const graphs = trainStepGraphs({ inputs, loss, parameters, optimizer });
  const initial = initializeParameters(model.parameters, Random.fromSeed(11));
  for (const [name, weight] of Object.entries(initial)) {
    if (name.endsWith('gate')) weight.data.fill(0.6);
    if (name.includes('lora_B')) Random.fromSeed(2).split(name).normal(weight.data, { standardDeviation: 0.3 });
  }
  const start = Object.fromEntries(Object.keys(parameters).map((name) => [name, initial[name] as unknown as Tensor]));
  const init = await runtime.compile(graphs.init);
  const state: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(await init.run(start))) state[name] = await value.read();
  const step = await runtime.compileTrainStep(graphs.fused, { carry: graphs.carry, initial: { ...start, ...state } });
  const losses: number[] = [];
  for (let at = 0; at < 3; at++) {
    const results = await step.run({
      ...(batch as unknown as Record<string, Tensor>),
      seed: scalar('int32', at) as never,
    });
    losses.push((await results['loss']!.read()).toArray()[0] as number);
  }
  const after = Object.keys(parameters).map(async (name) => [name, await step.state[name]!.read()] as const);
  const moved = Object.fromEntries(await Promise.all(after));
  for (const [name, tensor] of Object.entries(moved)) {
    expect(maxDifference(tensor, start[name]!), `${name} moves`).toBeGreaterThan(0);
  }
  await init.dispose();
  await step.dispose();
  return { ...moved, losses: new Tensor('float32', ['step'], [3], Float32Array.from(losses)) as unknown as Tensor };
}

it('a training step of a whole User-LLM is the same on both runtimes, parameter by parameter', async () => {
  const onnx = await OnnxRuntime.create();
  const tfjs = await TfjsRuntime.create({ engine: 'wasm', threads: 1 });
  const [ours, theirs] = [await trained(onnx), await trained(tfjs)];
  expect(Object.keys(ours).length).toBeGreaterThan(60);
  for (const [name, tensor] of Object.entries(ours)) {
    expect(maxDifference(tensor, theirs[name]!), name).toBeLessThan(2e-5);
  }
  await onnx.dispose();
  await tfjs.dispose();
}, 120_000);
