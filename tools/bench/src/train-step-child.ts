import { graph, input, matmul, type Feeds, type Graph, type Program, type Value } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import { peakMemory } from './peak-memory.js';
import { serveSteps, type MatrixProduct } from './step-process.js';
import { firstParameters, trainingBatch, trainingGraphs } from './train-step-task.js';

/** Rows and columns of the matrices whose product stands for the machine's peak. */
const size = 1024;

/** An engine as this benchmark needs it. */
interface StepEngine {
  readonly name: string;
  compile(graph: Graph): Promise<Pick<Program, 'run' | 'dispose'>>;
  compileTrainStep(
    graph: Graph,
    options: { carry: Readonly<Record<string, string>>; initial: Readonly<Record<string, Tensor>> },
    shapes: Readonly<Record<string, readonly number[]>>,
  ): Promise<{ run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Value>>> }>;
}

const [name, threadsText] = process.argv.slice(2);
const engine = name === 'onnx' ? await onnx(Number(threadsText)) : await tfjs(Number(threadsText));
await serve(engine);

async function onnx(threads: number): Promise<StepEngine> {
  const { OnnxRuntime } = await import('@user-llm/runtime-onnx');
  const runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  return {
    name: `ONNX Runtime ${runtime.engine.version} (${runtime.engine.kind})`,
    compile: (source) => runtime.compile(source),
    compileTrainStep: async (source, options, shapes) => {
      const step = await runtime.compileTrainStep(source, options);
      await step.prepare(shapes);
      return step;
    },
  };
}

async function tfjs(threads: number): Promise<StepEngine> {
  const { TfjsRuntime } = await import('@user-llm/runtime-tfjs');
  const runtime = await TfjsRuntime.create({ threads });
  return {
    name: `TensorFlow.js (${runtime.engine.name})`,
    compile: (source) => Promise.resolve(runtime.compile(source)),
    compileTrainStep: (source, options) => Promise.resolve(runtime.compileTrainStep(source, options)),
  };
}

async function serve(engine: StepEngine): Promise<void> {
  const initial = firstParameters();
  const start = performance.now();
  const { fused, carry, init } = trainingGraphs();
  const state = await readAll(await (await engine.compile(init)).run(initial));
  const feeds = trainingBatch();
  const shapes = Object.fromEntries(Object.entries(feeds).map(([feed, { shape }]) => [feed, shape]));
  const step = await engine.compileTrainStep(fused, { carry, initial: { ...initial, ...state } }, shapes);
  const compileSeconds = (performance.now() - start) / 1000;
  await serveSteps(
    { engine: engine.name, compileSeconds },
    {
      steps: async (count) => {
        const milliseconds: number[] = [];
        let loss = Number.NaN;
        for (let at = 0; at < count; at++) {
          const before = performance.now();
          const results = await step.run(feeds);
          const read = await readAll(results);
          milliseconds.push(performance.now() - before);
          loss = Number(read['loss']!.data[0]);
        }
        return { milliseconds, loss };
      },
      product: (count) => matrixProduct(engine, count),
      memory: () => Promise.resolve({ peakBytes: peakMemory() }),
    },
  );
}

async function matrixProduct(engine: StepEngine, count: number): Promise<MatrixProduct> {
  const left = input('left', 'float32', ['row', 'inner'], [size, size]);
  const right = input('right', 'float32', ['inner', 'column'], [size, size]);
  const program = await engine.compile(graph([left, right], { product: matmul(left, right) }));
  const draw = (seed: number): Float32Array => Random.fromSeed(seed).normal(size * size);
  const feeds: Feeds = {
    left: new Tensor('float32', left.axes, [size, size], draw(0)),
    right: new Tensor('float32', right.axes, [size, size], draw(1)),
  };
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < count; at++) {
    const before = performance.now();
    const results = await program.run(feeds);
    least = Math.min(least, performance.now() - before);
    Object.values(results).forEach((value) => value.dispose());
  }
  await program.dispose();
  return { gigaflops: (2 * size ** 3) / least / 1e6 };
}

async function readAll(values: Readonly<Record<string, Value>>): Promise<Record<string, Tensor>> {
  const read: Record<string, Tensor> = {};
  for (const [output, value] of Object.entries(values)) {
    read[output] = await value.read();
    value.dispose();
  }
  return read;
}
