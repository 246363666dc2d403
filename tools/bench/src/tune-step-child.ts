import { cost, input, inputName, orderedNodes, parameterInputs, trainStepGraphs, type Symbolic } from '@user-llm/graph';
import { loadLanguageModel } from '@user-llm/llm';
import { adamW } from '@user-llm/optimizers';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { elements, Random, scalar, Tensor } from '@user-llm/tensor';
import {
  composeUserLlm,
  defineUserLlm,
  eventInputs,
  initialWeights,
  parameterGroup,
  userLlmRegistry,
} from '@user-llm/user-llm';
import { squareProduct } from './llm/machine-peaks.js';
import { peakMemory } from './peak-memory.js';
import { serveSteps } from './step-process.js';

const batch = 16;
const events = 50;
const length = 96;
/** Tokens of an answer. */
const answer = 8;
const items = 3416;

await main(process.argv[2]!, Number(process.argv[3]));

/** Tuning steps of the strategy `proj`: `CHECKPOINT THREADS`, then requests, as lines of JSON. */
async function main(checkpoint: string, threads: number): Promise<void> {
  const runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  const llm = await loadLanguageModel(checkpoint);
  const config = defineUserLlm({
    events: { item: { kind: 'id' } },
    encoder: { name: 'autoregressive', config: { width: 64, layers: 2, heads: 1, maximumEvents: events } },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 4 } },
    fusion: { name: 'cross-attention', config: { heads: 8, every: 3 } },
    llm: { name: llm.family, config: llm.config as never },
  });
  const features = [{ name: 'item', size: items + 3, slots: 1 }];
  const model = composeUserLlm(config, { registry: userLlmRegistry(), features });
  const given = Object.entries(llm.weights).map(([name, weight]) => [`llm.${name}`, weight as Tensor<'float32'>]);
  const weights = initialWeights(model, 1, Object.fromEntries(given) as Record<string, Tensor<'float32'>>);

  const start = performance.now();
  const { tree, named } = parameterInputs(model.parameters);
  const seed = input('seed', 'int32', [], []);
  const tokens = input('tokens', 'int32', ['batch', 'token'], [batch, length]);
  const rows = input('rows', 'int32', ['row'], [batch * answer]);
  const labels = input('labels', 'int32', ['row'], [batch * answer]);
  const users = eventInputs(features, batch, events, seed);
  const context = model.userContext(tree, users.batch);
  const loss = model.loss(tree, { tokens, rows, labels, context, seed });
  const fed = [tokens, rows, labels, seed, ...users.inputs];
  const read = new Set(orderedNodes([loss]).map((node) => inputName({ node } as Symbolic)));
  const used = Object.keys(named).filter((name) => read.has(name));
  const trained = used.filter((name) => ['compressor', 'fusion'].includes(parameterGroup(name)));
  const graphs = trainStepGraphs({
    inputs: [...fed, ...used.map((name) => named[name]!)],
    loss,
    parameters: Object.fromEntries(trained.map((name) => [name, named[name]!])),
    optimizer: adamW({ learningRate: 1e-3 }),
  });
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, weights[name]!]));
  const moved = pick(trained);
  const init = await runtime.compile(graphs.init);
  const state: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(await init.run(moved))) {
    state[name] = await value.read();
    value.dispose();
  }
  await init.dispose();
  const program = await runtime.compileTrainStep(graphs.fused, {
    carry: graphs.carry,
    initial: { ...moved, ...state },
    frozen: pick(used.filter((name) => !trained.includes(name))),
  });
  const feeds = feedsOf(fed, llm.config as { vocabularySize: number });
  await program.prepare(Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape])));
  const compileSeconds = (performance.now() - start) / 1000;
  const gigaflop = (cost(graphs.fused).byOperator['matmul']?.flops ?? 0) / 1e9;
  const square = await squareProduct(runtime);
  await serveSteps(
    { engine: `ONNX Runtime ${runtime.engine.version} (${runtime.engine.kind})`, compileSeconds, gigaflop },
    {
      steps: async (count) => {
        const milliseconds: number[] = [];
        let last = Number.NaN;
        for (let at = 0; at < count; at++) {
          const before = performance.now();
          const { loss: value } = await program.run({ ...feeds, seed: scalar('int32', at) as Tensor });
          last = Number((await value!.read()).data[0]);
          value!.dispose();
          milliseconds.push(performance.now() - before);
        }
        return { milliseconds, loss: last };
      },
      product: async () => ({ gigaflops: (await square.operationsPerSecond()) / 1e9 }),
      memory: () => Promise.resolve({ peakBytes: peakMemory() }),
    },
  );
}

/** Random tokens, answers at the end of each row, and histories without gaps. */
function feedsOf(inputs: readonly Symbolic[], { vocabularySize }: { vocabularySize: number }): Record<string, Tensor> {
  const draw = (name: string, count: number, below: number): Int32Array =>
    Int32Array.from(Random.fromSeed(1).split(name).uniform(new Float32Array(count)), (part) => part * below);
  const data: Readonly<Record<string, (count: number) => Int32Array | Uint8Array>> = {
    tokens: (count) => draw('tokens', count, vocabularySize),
    labels: (count) => draw('labels', count, vocabularySize),
    rows: (count) =>
      Int32Array.from({ length: count }, (_, at) => {
        const [row, place] = [Math.floor(at / answer), at % answer];
        return row * length + length - answer + place;
      }),
    seed: () => Int32Array.of(0),
    'events.item': (count) => draw('items', count, items).map((item) => item + 3),
    'events.mask': (count) => new Uint8Array(count).fill(1),
  };
  return Object.fromEntries(
    inputs.map((tensor) => {
      const { dtype, axes, shape } = tensor;
      const sizes = shape as readonly number[];
      const name = inputName(tensor)!;
      return [name, new Tensor(dtype, axes, sizes, data[name]!(elements(sizes)) as never) as Tensor];
    }),
  );
}
