import { apply, cost, graph, input, operators as table, type Attributes, type Graph } from '@user-llm/graph';
import type { ExampleInput, Feeds, Operator, OperatorName, Results, Value } from '@user-llm/graph';
import { allocate, elements, isFloat, Random, Tensor, UserLlmError } from '@user-llm/tensor';
import type { Benchmark, BenchmarkOptions, BenchmarkResult, Cell } from './benchmark.js';
import { median } from './median.js';
import { operatorCases, type OperatorCase } from './operator-cases.js';

const mostRepetitions = 15;
const mostMilliseconds = 150;
/** Operations per byte from which an operator is said to compute rather than to move. */
const computing = 4;

interface Engine {
  readonly name: string;
  value(tensor: Tensor): Value;
  compile(graph: Graph): Promise<Compiled>;
}

interface Compiled {
  /** A run; its results may be in the memory of those of an earlier run. */
  run(feeds: Feeds, earlier: Results | undefined): Promise<Results>;
  dispose(): unknown;
}

/** Every operator of the table on both runtimes, on tensors of the sizes that training the encoder has. */
export const operators: Benchmark = {
  name: 'operators',
  description: 'every operator on both runtimes, on tensors of the sizes that training the encoder has',
  async run({ threads, progress }: BenchmarkOptions): Promise<BenchmarkResult> {
    const { OnnxRuntime } = await import('@user-llm/runtime-onnx');
    const { TfjsRuntime } = await import('@user-llm/runtime-tfjs');
    const onnx = await OnnxRuntime.create({ intraOpThreads: threads });
    const tfjs = await TfjsRuntime.create({ threads });
    const engines: readonly Engine[] = [
      {
        name: 'onnx',
        value: (tensor) => onnx.value(tensor),
        compile: async (source) => {
          const program = await onnx.compile(source);
          return {
            // As in a training step, which allocates nothing; TensorFlow.js keeps memory of its own for that.
            run: (feeds, earlier) => program.run(feeds, earlier ? { into: earlier } : {}),
            dispose: () => program.dispose(),
          };
        },
      },
      {
        name: 'tfjs',
        value: (tensor) => tfjs.value(tensor),
        compile: async (source) => {
          const program = await Promise.resolve(tfjs.compile(source));
          return {
            run: (feeds, earlier) => {
              Object.values(earlier ?? {}).forEach((value) => value.dispose());
              return program.run(feeds);
            },
            dispose: () => program.dispose(),
          };
        },
      },
    ];
    const rows: Record<string, Cell>[] = [];
    const quotients: number[] = [];
    for (const [name, operator] of Object.entries(table) as [OperatorName, Operator][]) {
      const sized = operatorCases[name] as OperatorCase<Attributes> | undefined;
      if (!sized) continue;
      progress(name);
      const { source, feeds } = caseGraph(operator, sized);
      const { flops, bytes } = cost(source);
      const [amount, unit] = flops >= computing * bytes ? [flops, 'GFLOP/s'] : [bytes, 'GB/s'];
      const row: Record<string, Cell> = {
        operator: name,
        on: sized.inputs.map(({ shape }) => shape.join(' x ') || 'number').join(', '),
      };
      for (const engine of engines) {
        const ms = await measure(engine, source, feeds);
        row[`${engine.name} ms`] = ms;
        row[`${engine.name} rate`] = ms !== undefined && amount > 0 ? amount / ms / 1e6 : undefined;
      }
      row['rate in'] = amount > 0 ? unit : '';
      rows.push(row);
      const [ours, theirs] = [row['onnx ms'], row['tfjs ms']];
      if (typeof ours === 'number' && typeof theirs === 'number') quotients.push(theirs / ours);
    }
    const ratios = { 'runtime-onnx times as fast as runtime-tfjs, median of the operators': median(quotients) };
    const versions = { 'ONNX Runtime': onnx.engine.version, 'TensorFlow.js': tfjs.engine.name };
    await onnx.dispose();
    return { rows, ratios, versions };
  },
};

function caseGraph(
  operator: Operator,
  { inputs, attributes }: OperatorCase<Attributes>,
): { source: Graph; feeds: Record<string, Tensor> } {
  const random = Random.fromSeed(0).split(operator.name);
  const named = inputs.map((spec, at) => {
    const { dtype = 'float32', shape } = spec;
    const axes = shape.map((_, axis) => `axis${at}of${axis}`);
    return {
      symbolic: input(`x${at}`, dtype, axes, shape),
      tensor: draw(spec, axes, random.split(`${at}`)),
    };
  });
  const outputs = apply(
    operator,
    named.map(({ symbolic }) => symbolic),
    attributes,
  );
  return {
    source: graph(
      named.map(({ symbolic }) => symbolic),
      Object.fromEntries(outputs.map((output, at) => [`y${at}`, output])),
    ),
    feeds: Object.fromEntries(named.map(({ tensor }, at) => [`x${at}`, tensor])),
  };
}

function draw({ dtype = 'float32', shape, values = 'normal' }: ExampleInput, axes: string[], random: Random): Tensor {
  const count = elements(shape);
  const data = allocate(dtype, count) as Float32Array;
  if (Array.isArray(values)) data.set(values as readonly number[]);
  else if (isFloat(dtype)) {
    if (values === 'positive') random.uniform(data, { low: 0.5, high: 2 });
    else random.normal(data);
  } else {
    const { below } = values as { readonly below: number };
    random.uniform(count).forEach((number, at) => (data[at] = Math.floor(number * below)));
  }
  return new Tensor(dtype, axes, shape, data as never);
}

/** The median of some runs in milliseconds; `undefined` where the runtime lacks the dtype. */
async function measure(
  engine: Engine,
  source: Graph,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<number | undefined> {
  const feeds = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, engine.value(tensor)]));
  try {
    const program = await engine.compile(source);
    let results: Results | undefined;
    const run = async (): Promise<number> => {
      const before = performance.now();
      results = await program.run(feeds, results);
      return performance.now() - before;
    };
    await run();
    const times: number[] = [];
    const start = performance.now();
    while (times.length < mostRepetitions && (times.length < 3 || performance.now() - start < mostMilliseconds)) {
      times.push(await run());
    }
    Object.values(results ?? {}).forEach((value) => value.dispose());
    await program.dispose();
    return median(times);
  } catch (error) {
    if (UserLlmError.isInstance(error, 'unsupported-dtype')) return undefined;
    throw error;
  } finally {
    Object.values(feeds).forEach((value) => value.dispose());
  }
}
