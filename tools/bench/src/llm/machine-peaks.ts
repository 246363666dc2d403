import { graph, input, matmulTransposed, type Program, type Value } from '@user-llm/graph';
import type { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import { seconds } from './decoder-timing.js';

/** A measurement lasts as long as what it is compared with: a few milliseconds of a virtual machine say little. */
const leastSeconds = 0.6;

/** Size of the axis that is summed over. */
const inner = 1024;

/** A product of two square matrices, whose operations per second nothing that is made of products can exceed. */
export function squareProduct(runtime: OnnxRuntime): Promise<Product> {
  return Product.open(runtime, inner, inner);
}

/** A product of one vector by a matrix far larger than all caches, whose bytes per second are the memory's. */
export function vectorProduct(runtime: OnnxRuntime): Promise<Product> {
  return Product.open(runtime, 1, 128 * inner);
}

/** A product `[rows, inner]` by a matrix `[columns, inner]`, by the engine and the threads that are measured. */
export class Product {
  readonly #program: Program;
  readonly #x: Value;
  /** Where the result lies, whose memory is got once. */
  readonly #y: Value;

  private constructor(program: Program, x: Value, y: Value) {
    this.#program = program;
    this.#x = x;
    this.#y = y;
  }

  static async open(runtime: OnnxRuntime, rows: number, columns: number): Promise<Product> {
    const x = input('x', 'float32', ['row', 'inner'], [rows, inner]);
    const matrix = input('matrix', 'float32', ['column', 'inner'], [columns, inner]);
    const random = Random.fromSeed(1);
    const filled = (name: string, axes: readonly string[], shape: readonly number[]): Tensor =>
      new Tensor('float32', axes, shape, random.split(name).uniform(shape[0]! * shape[1]!)) as Tensor;
    const program = await runtime.compile(graph([x, matrix], { y: matmulTransposed(x, matrix) }), {
      matrix: filled('matrix', matrix.axes, [columns, inner]),
    });
    const y = new Tensor('float32', ['row', 'column'], [rows, columns]) as Tensor;
    return new Product(program, runtime.value(filled('x', x.axes, [rows, inner])), runtime.value(y));
  }

  async operationsPerSecond(): Promise<number> {
    return 2 * inner * this.#y.shape[0]! * this.#y.shape[1]! * (await this.#perSecond());
  }

  /** Bytes of the matrix. */
  async bytesPerSecond(): Promise<number> {
    return 4 * inner * this.#y.shape[1]! * (await this.#perSecond());
  }

  /** How often it is made per second, over a while. */
  async #perSecond(): Promise<number> {
    await this.#once();
    let made = 0;
    let passed = 0;
    while (passed < leastSeconds) {
      passed += await seconds(() => this.#once());
      made++;
    }
    return made / passed;
  }

  async close(): Promise<void> {
    this.#x.dispose();
    this.#y.dispose();
    await this.#program.dispose();
  }

  async #once(): Promise<void> {
    await this.#program.run({ x: this.#x }, { into: { y: this.#y } });
  }
}
