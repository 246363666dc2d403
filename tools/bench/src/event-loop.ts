import { monitorEventLoopDelay } from 'node:perf_hooks';
import { graph, input, matmul, negate, rename, tanh, type Float, type Graph } from '@user-llm/graph';
import type { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from './benchmark.js';
import { median } from './median.js';

const runMilliseconds = 1000;
const size = 512;
const products = 40;
/** Elements of an output of 64 MB. */
const outputElements = 2 ** 24;
const repetitions = 9;

/** How long the event loop stands still while ONNX Runtime works, and what an output of 64 MB costs, by both ways in. */
export const eventLoop: Benchmark = {
  name: 'event-loop',
  description:
    'longest gap of the event loop in a run of about 1 s, and a 64 MB output, by the C API and by the package',
  async run({ threads, progress }: BenchmarkOptions): Promise<BenchmarkResult> {
    const { OnnxRuntime } = await import('@user-llm/runtime-onnx');
    const found = [];
    for (const engine of ['c-api', 'package'] as const) {
      progress(engine);
      const runtime = await OnnxRuntime.create({ intraOpThreads: threads, engine });
      found.push({
        engine,
        version: runtime.engine.version,
        ...(await gap(runtime)),
        output: await largeOutput(runtime),
      });
      await runtime.dispose();
    }
    const [c, packaged] = found as [(typeof found)[number], (typeof found)[number]];
    return {
      rows: found.map(({ engine, ran, longest, output }) => ({
        engine,
        'run ms': ran,
        'longest gap ms': longest,
        '64 MB output ms': output,
      })),
      ratios: { 'output of 64 MB, the C API times as fast as the package': packaged.output / c.output },
      versions: { 'ONNX Runtime': c.version },
    };
  },
};

/** A chain of matrix products as long as it takes to work for about a second without a break. */
async function gap(runtime: OnnxRuntime): Promise<{ ran: number; longest: number }> {
  const weight = new Tensor('float32', ['from', 'to'], [size, size], Random.fromSeed(0).normal(size * size));
  const x = new Tensor('float32', ['row', 'to'], [size, size], Random.fromSeed(1).normal(size * size));
  const short = await runtime.compile(chain(products));
  await short.run({ x, weight });
  const start = performance.now();
  await short.run({ x, weight });
  const length = Math.ceil((products * runMilliseconds) / (performance.now() - start));
  await short.dispose();
  const program = await runtime.compile(chain(length));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // A timer must have ticked once before its next tick can be late.
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.reset();
  const before = performance.now();
  await program.run({ x, weight });
  const ran = performance.now() - before;
  delay.disable();
  await program.dispose();
  return { ran, longest: delay.max / 1e6 };
}

function chain(length: number): Graph {
  const weight = input('weight', 'float32', ['from', 'to'], [size, size]);
  const start = input('x', 'float32', ['row', 'to'], [size, size]);
  let x: Float<readonly ['row', 'to']> = start;
  for (let at = 0; at < length; at++) x = tanh(matmul(rename(x, 'to', 'from'), weight));
  return graph([start, weight], { y: x });
}

/** The median milliseconds of a run that writes 64 MB into memory that the caller holds. */
async function largeOutput(runtime: OnnxRuntime): Promise<number> {
  const x = input('x', 'float32', ['element'], [outputElements]);
  const program = await runtime.compile(graph([x], { y: negate(x) }));
  const made = (): Tensor => new Tensor('float32', ['element'], [outputElements], new Float32Array(outputElements));
  const feeds = { x: runtime.value(made()) };
  const into = { y: runtime.value(made()) };
  const times: number[] = [];
  for (let at = 0; at <= repetitions; at++) {
    const start = performance.now();
    await program.run(feeds, { into });
    // The first run is not counted.
    if (at > 0) times.push(performance.now() - start);
  }
  await program.dispose();
  return median(times);
}
