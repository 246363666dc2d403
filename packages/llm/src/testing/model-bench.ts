import {
  flattenParameters,
  graph,
  initializeParameters,
  input,
  parameterInputs,
  type NamedTensors,
  type Runtime,
  type Symbolic,
} from '@user-llm/graph';
import type { LanguageModelModule, TokenBatch } from '@user-llm/plugin';
import { Random, Tensor } from '@user-llm/tensor';

/** Rows of tokens, all of one length. */
export type Rows = readonly (readonly number[])[];

/** A model with weights and a runtime, to run parts of it. */
export class ModelBench {
  readonly llm: LanguageModelModule;
  readonly runtime: Runtime;
  /** Drawn from a seed, so large that every part shows in what comes out. */
  readonly weights: Readonly<Record<string, Tensor>>;

  constructor(llm: LanguageModelModule, runtime: Runtime) {
    this.llm = llm;
    this.runtime = runtime;
    const random = Random.fromSeed(11);
    const first = initializeParameters(llm.parameters, random);
    this.weights = Object.fromEntries(
      [...flattenParameters(llm.parameters)].map(([name, { axes, shape, initializer }]) => {
        const start = initializer.kind === 'constant' ? initializer.value : 0;
        const noise = random.split(`${name}, larger`).normal(first[name]!.data.length);
        return [
          name,
          new Tensor(
            'float32',
            axes,
            shape,
            noise.map((drawn) => start + 0.3 * drawn),
          ) as Tensor,
        ];
      }),
    );
  }

  /** Tokens drawn from a seed. */
  tokens(count: number, name = 'tokens'): number[] {
    return Array.from(Random.fromSeed(5).split(name).integers(count, this.llm.vocabularySize));
  }

  /** Numbers that some outputs of the model have for rows of tokens. */
  async run(
    rows: Rows,
    outputs: (tree: never, tokens: TokenBatch['tokens'], named: NamedTensors) => NamedTensors,
  ): Promise<Readonly<Record<string, Tensor<'float32'>>>> {
    const shape: [number, number] = [rows.length, rows[0]!.length];
    const tokens = input('tokens', 'int32', ['batch', 'token'], shape);
    const { tree, named } = parameterInputs(this.llm.parameters);
    const inputs: Symbolic[] = [tokens, ...Object.values(named)];
    const program = await this.runtime.compile(graph(inputs, outputs(tree as never, tokens, named)));
    try {
      const fed = new Tensor('int32', ['batch', 'token'], shape, Int32Array.from(rows.flat())) as Tensor;
      const results = await program.run({ tokens: fed, ...this.weights });
      const read = Object.entries(results).map(async ([name, value]) => {
        const tensor = (await value.read()) as Tensor<'float32'>;
        value.dispose();
        return [name, tensor.contiguous()] as const;
      });
      return Object.fromEntries(await Promise.all(read));
    } finally {
      await program.dispose();
    }
  }

  /** Logits at every token of rows, row by row. */
  async logits(rows: Rows, hooks: (tree: never) => TokenBatch['hooks'] = () => undefined): Promise<Float32Array[][]> {
    const { logits } = await this.run(rows, (tree, tokens) => {
      const own = hooks(tree);
      return { logits: this.llm.apply(tree, { tokens, ...(own && { hooks: own }) }) };
    });
    const width = this.llm.vocabularySize;
    return rows.map((row, at) =>
      row.map((_, token) =>
        logits!.data.subarray((at * row.length + token) * width, (at * row.length + token + 1) * width),
      ),
    );
  }
}

/** The largest difference of two runs of numbers, relative to the largest of the second or 1. */
export function difference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Infinity;
  let largest = 0;
  let size = 1;
  for (let at = 0; at < wanted.length; at++) {
    const off = Math.abs(got[at]! - wanted[at]!);
    // Not a number counts as far off.
    if (!(off <= largest)) largest = Number.isNaN(off) ? Infinity : off;
    size = Math.max(size, Math.abs(wanted[at]!));
  }
  return largest / size;
}
