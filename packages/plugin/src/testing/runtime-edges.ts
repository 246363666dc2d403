import {
  applyOne,
  argmax,
  divide,
  graph,
  input,
  linearCrossEntropy,
  modulo,
  operators,
  sparseCrossEntropy,
  topK,
  type Runtime,
  type Symbolic,
} from '@user-llm/graph';
import { Tensor, type BaseDType } from '@user-llm/tensor';
import { demand, demandError, type Check } from './check.js';

/** Builds the output of a graph over inputs that are like the tensors fed. */
type Build = (inputs: readonly Symbolic[]) => Symbolic;

interface Numbers {
  readonly dtype: BaseDType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const whole = (shape: readonly number[], data: readonly number[]): Numbers => ({ dtype: 'int32', shape, data });
const real = (shape: readonly number[], data: readonly number[]): Numbers => ({ dtype: 'float32', shape, data });
const counted = (shape: readonly number[]): Numbers =>
  real(shape, [...Array(shape.reduce((product, size) => product * size, 1)).keys()]);

const axesOf = ({ shape }: Numbers): string[] => shape.map((_, axis) => `axis${axis}`);

/** The graph that `build` makes over inputs that are like these, compiled; each run gives the output's elements. */
async function programOf(
  runtime: Runtime,
  build: Build,
  like: readonly Numbers[],
): Promise<{ run(feeds: readonly Numbers[]): Promise<number[]>; dispose(): void | Promise<void> }> {
  const inputs = like.map((numbers, at) =>
    input(`x${at}`, numbers.dtype, axesOf(numbers), numbers.shape as never),
  ) as readonly Symbolic[];
  const program = await runtime.compile(graph(inputs, { y: build(inputs) }));
  return {
    run: async (feeds) => {
      const fed = feeds.map((numbers, at) => {
        const tensor = new Tensor('float64', axesOf(numbers), numbers.shape, Float64Array.from(numbers.data));
        return [`x${at}`, tensor.cast(numbers.dtype) as Tensor] as const;
      });
      const { y } = await program.run(Object.fromEntries(fed));
      try {
        return [...(await y!.read()).cast('float64').contiguous().data];
      } finally {
        y!.dispose();
      }
    },
    dispose: () => program.dispose(),
  };
}

/** Operators that read or write where whole numbers say, each on an axis of 3 and with what is fed for an index. */
const indexed: Readonly<
  Record<string, { readonly build: Build; readonly feeds: (index: number) => readonly Numbers[] }>
> = {
  gather: {
    build: ([x, indices]) => applyOne(operators.gather, [x!, indices!], { axis: 0 }),
    feeds: (index) => [counted([3, 2]), whole([2], [0, index])],
  },
  scatterAdd: {
    build: ([indices, rows]) => applyOne(operators.scatterAdd, [indices!, rows!], { axis: 'n', size: 3 }),
    feeds: (index) => [whole([2], [0, index]), counted([2, 2])],
  },
  takeAlong: {
    build: ([x, indices]) => applyOne(operators.takeAlong, [x!, indices!], { axis: 0 }),
    feeds: (index) => [counted([3, 2]), whole([1, 2], [0, index])],
  },
  addAlong: {
    build: ([x, indices, updates]) => applyOne(operators.addAlong, [x!, indices!, updates!], { axis: 0 }),
    feeds: (index) => [counted([3, 2]), whole([1, 2], [0, index]), counted([1, 2])],
  },
  sparseCrossEntropy: {
    build: ([logits, labels]) => sparseCrossEntropy(logits as never, labels as never, { ignore: -100 }),
    feeds: (index) => [counted([2, 3]), whole([2], [-100, index])],
  },
  linearCrossEntropy: {
    build: ([hidden, table, labels]) =>
      linearCrossEntropy(hidden as never, table as never, labels as never, { ignore: -100 }),
    feeds: (index) => [counted([2, 2]), counted([3, 2]), whole([2], [-100, index])],
  },
};

const outside = [-1, -3, 3, 2 ** 31 - 1, -(2 ** 31)];

const divisions: Readonly<Record<string, Build>> = {
  divide: ([x, y]) => divide(x as never, y as never),
  modulo: ([x, y]) => modulo(x as never, y as never),
};

/** Rows, the axis that they are added along, and columns of the heavily repeated indices. */
const [repeats, places, columns] = [4001, 3, 17] as const;

/** Both ways of adding at indices, on 4,001 rows of small whole numbers that go to 3 places. */
const additions: Readonly<Record<string, { readonly build: Build; readonly like: (indices: Numbers) => Numbers[] }>> = {
  scatterAdd: {
    build: ([indices, rows]) => applyOne(operators.scatterAdd, [indices!, rows!], { axis: 'n', size: places }),
    like: (indices) => [indices, repeated],
  },
  addAlong: {
    build: ([x, indices, updates]) => applyOne(operators.addAlong, [x!, indices!, updates!], { axis: 0 }),
    like: ({ data }) => [
      real([places, columns], Array<number>(places * columns).fill(0)),
      whole(
        [repeats, columns],
        data.flatMap((index) => Array<number>(columns).fill(index)),
      ),
      repeated,
    ],
  },
};
const repeated = real(
  [repeats, columns],
  Array.from({ length: repeats * columns }, (_, at) => (at * 5) % 7),
);

/** What the operators' examples cannot say, a part of `runtimeChecks`: errors, NaN in an order, heavily repeated indices. */
export function runtimeEdgeChecks(runtime: () => Promise<Runtime>): readonly Check[] {
  const check = (
    name: string,
    build: Build,
    like: readonly Numbers[],
    run: (compute: (feeds: readonly Numbers[]) => Promise<number[]>) => Promise<void>,
  ): Check => ({
    name,
    run: async () => {
      const program = await programOf(await runtime(), build, like);
      try {
        await run(program.run);
      } finally {
        await program.dispose();
      }
    },
  });
  return [
    ...Object.entries(indexed).map(([name, { build, feeds }]) =>
      check(`${name}: an index outside is refused, and the program runs on`, build, feeds(0), async (compute) => {
        const before = await compute(feeds(2));
        for (const index of outside)
          await demandError(() => compute(feeds(index)), 'out-of-range', `${name} with index ${index} of 3`);
        const after = await compute(feeds(2));
        demand(`${after}` === `${before}`, `${name} after errors`, `${before}`, `${after}`);
      }),
    ),
    ...Object.entries(divisions).map(([name, build]) => {
      const feeds = (divisor: number): Numbers[] => [whole([3], [7, -7, 0]), whole([3], [2, divisor, 5])];
      return check(
        `${name}: a whole number by 0 is refused, and the program runs on`,
        build,
        feeds(1),
        async (compute) => {
          await demandError(() => compute(feeds(0)), 'division-by-zero', `${name} of whole numbers by 0`);
          const after = await compute(feeds(7));
          const expected = name === 'divide' ? [3, -1, 0] : [1, 0, 0];
          demand(`${after}` === `${expected}`, `${name} after an error`, `${expected}`, `${after}`);
        },
      );
    }),
    ...Object.entries({
      argmax: ([x]: readonly Symbolic[]) => argmax(x as never) as Symbolic,
      topK: ([x]: readonly Symbolic[]) => topK(x as never, 2, 'rank').indices as Symbolic,
    }).map(([name, build]) => {
      const rows = real([3, 4], [1, NaN, 7, NaN, NaN, NaN, NaN, NaN, NaN, 1, 2, 3]);
      return check(`${name}: of a row with NaN an index of the row`, build, [rows], async (compute) => {
        const indices = await compute([rows]);
        demand(
          indices.every((index) => index >= 0 && index < 4),
          name,
          'indices from 0 to 3',
          `${indices}`,
        );
      });
    }),
    ...Object.entries(additions).map(([name, { build, like }]) => {
      const indices = whole(
        [repeats],
        Array.from({ length: repeats }, (_, at) => (at * 7) % places),
      );
      const feeds = like(indices);
      return check(`${name}: heavily repeated indices add up exactly, each time`, build, feeds, async (compute) => {
        const wanted = new Array<number>(places * columns).fill(0);
        repeated.data.forEach((value, at) => {
          wanted[indices.data[Math.floor(at / columns)]! * columns + (at % columns)]! += value;
        });
        for (let run = 0; run < 10; run++) {
          const got = await compute(feeds);
          demand(`${got}` === `${wanted}`, `${name}, run ${run}`, `${wanted}`, `${got}`);
        }
      });
    }),
  ];
}
