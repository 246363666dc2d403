import { evaluate, graph, input, matmul } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import type { Benchmark, BenchmarkResult } from './benchmark.js';
import { median } from './median.js';

const sizes = [64, 128, 256] as const;
const repetitions = 5;

/** Square matrix products on `runtime-tfjs` and by the reference kernel in plain TypeScript, side by side. */
export const matrixProduct: Benchmark = {
  name: 'matrix-product',
  description: 'square matrix products on runtime-tfjs and by the reference kernel',
  async run({ threads, progress }) {
    const { TfjsRuntime } = await import('@user-llm/runtime-tfjs');
    const runtime = await TfjsRuntime.create({ threads });
    const rows: Record<string, string | number>[] = [];
    const ratios: Record<string, number> = {};
    for (const size of sizes) {
      progress(`${size} x ${size}`);
      const left = input('left', 'float32', ['row', 'inner'], [size, size]);
      const right = input('right', 'float32', ['inner', 'column'], [size, size]);
      const product = graph([left, right], { product: matmul(left, right) });
      const random = Random.fromSeed(size);
      const draw = (name: string): Float32Array => random.split(name).normal(size * size);
      const [a, b] = [draw('left'), draw('right')];
      const program = await Promise.resolve(runtime.compile(product));
      const feeds = {
        left: new Tensor('float32', ['row', 'inner'], [size, size], a),
        right: new Tensor('float32', ['inner', 'column'], [size, size], b),
      };
      const engine = await timed(async () => {
        const value = (await program.run(feeds))['product']!;
        await value.read();
        value.dispose();
      });
      const reference = await timed(() =>
        evaluate(product, {
          left: { dtype: 'float32', shape: [size, size], data: Float64Array.from(a) },
          right: { dtype: 'float32', shape: [size, size], data: Float64Array.from(b) },
        }),
      );
      const flops = 2 * size ** 3;
      for (const [name, ms] of [
        [`runtime-tfjs (${runtime.engine.name})`, engine],
        ['reference kernel', reference],
      ] as const) {
        rows.push({ size, engine: name, 'median ms': ms, 'GFLOP/s': flops / ms / 1e6 });
      }
      ratios[`runtime-tfjs times as fast as the reference kernel, size ${size}`] = reference / engine;
      program.dispose();
    }
    return { rows, ratios, versions: { 'runtime-tfjs': runtime.engine.name } } satisfies BenchmarkResult;
  },
};

/** Milliseconds of the middle of a few runs, after one that is not counted. */
async function timed(work: () => unknown): Promise<number> {
  await work();
  const times: number[] = [];
  for (let at = 0; at < repetitions; at++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times);
}
