import { graph, input, matmulTransposed } from '@user-llm/graph';
import type { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import { seconds } from './decoder-timing.js';

/** What this machine can do at most, by the same engine and threads. */
export interface MachinePeaks {
  /** Bytes per second of a matrix, far larger than all caches, that is multiplied with one vector. */
  readonly bandwidth: number;
  /** As `matrixPeak`. */
  readonly flops: number;
}

const repetitions = 7;

/** Measures both peaks: the best of a few runs. */
export async function machinePeaks(runtime: OnnxRuntime): Promise<MachinePeaks> {
  const vector = await product(runtime, 1, 1024, 131_072);
  return { bandwidth: (4 * 1024 * 131_072) / vector, flops: await matrixPeak(runtime) };
}

/** Operations per second of a product of two square matrices: the best of a few runs. */
export async function matrixPeak(runtime: OnnxRuntime): Promise<number> {
  return (2 * 1024 ** 3) / (await product(runtime, 1024, 1024, 1024));
}

/** Least seconds of a product `[rows, inner]` by a matrix `[columns, inner]`. */
async function product(runtime: OnnxRuntime, rows: number, inner: number, columns: number): Promise<number> {
  const x = input('x', 'float32', ['row', 'inner'], [rows, inner]);
  const matrix = input('matrix', 'float32', ['column', 'inner'], [columns, inner]);
  const random = Random.fromSeed(1);
  const filled = (name: string, axes: readonly string[], shape: readonly number[]): Tensor =>
    new Tensor('float32', axes, shape, random.split(name).uniform(shape[0]! * shape[1]!)) as Tensor;
  const program = await runtime.compile(graph([x, matrix], { y: matmulTransposed(x, matrix) }), {
    matrix: filled('matrix', matrix.axes, [columns, inner]),
  });
  const feeds = { x: runtime.value(filled('x', x.axes, [rows, inner])) };
  const times: number[] = [];
  for (let at = 0; at < repetitions; at++)
    times.push(
      await seconds(async () => {
        const { y } = await program.run(feeds);
        y!.dispose();
      }),
    );
  await program.dispose();
  return Math.min(...times);
}
