import {
  graph,
  input,
  matmul,
  rename,
  symbol,
  type Feeds,
  type Graph,
  type Runtime,
  type Value,
} from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { demand, demandError, type Check } from './check.js';
import { disposeChecks } from './dispose.js';
import { hostileFeedsCheck, hostileGivenCheck, hostileStepCheck, hostileWriteCheck } from './hostile-feeds.js';

const square = (elements: readonly number[]): Tensor =>
  new Tensor('float32', ['row', 'column'], [2, 2], Float32Array.from(elements)) as Tensor;

const rows = (count: number): Tensor => new Tensor('float32', ['row', 'column'], [count, 2]) as Tensor;

/** `y = x w`, with as many rows as are fed. */
function product(): Graph {
  const x = input('x', 'float32', ['row', 'column'], [symbol('rows'), 2]);
  const w = input('w', 'float32', ['column', 'width'], [2, 2]);
  return graph([x, w], { y: rename(matmul(x, w), 'width', 'column') });
}

const weights = new Tensor('float32', ['column', 'width'], [2, 2], Float32Array.of(0, 1, 1, 1)) as Tensor;

async function holds(value: Value, expected: readonly number[], what: string): Promise<void> {
  const got = [...(await value.read()).data].map(Number);
  demand(`${got}` === `${expected}`, what, `${expected}`, `${got}`);
}

/** What programs of a runtime do besides computing what their graph says; part of `runtimeChecks`. */
export function programChecks(runtime: () => Promise<Runtime>): readonly Check[] {
  const check = (
    name: string,
    run: (
      runtime: Runtime,
      y: (feeds: Feeds, into?: Readonly<Record<string, Value>>) => Promise<Value>,
    ) => Promise<void>,
    frozen?: Readonly<Record<string, Tensor>>,
  ): Check => ({
    name,
    run: async () => {
      const own = await runtime();
      const program = await own.compile(product(), frozen);
      try {
        await run(own, async (feeds, into) => (await program.run(feeds, into ? { into } : {}))['y']!);
      } finally {
        await program.dispose();
      }
    },
  });
  return [
    check(
      'inputs are given once and read in every run',
      async (_, y) => {
        for (const [x, expected] of [
          [square([1, 0, 0, 1]), [0, 1, 1, 1]],
          [square([2, 0, 1, 1]), [0, 2, 1, 2]],
        ] as const) {
          const value = await y({ x });
          await holds(value, expected, 'y');
          value.dispose();
        }
      },
      { w: weights },
    ),
    check('an output is written into the value given for it', async (own, y) => {
      const value = own.value(square([9, 9, 9, 9]));
      const made = await y({ x: square([1, 2, 3, 4]), w: weights }, { y: value });
      demand(made === value, 'y', 'the value given', 'another');
      await holds(value, [2, 3, 4, 7], 'y');
      value.dispose();
    }),
    check('a run may write the value that it reads', async (own, y) => {
      const value = own.value(square([1, 0, 0, 1]));
      for (const expected of [
        [0, 1, 1, 1],
        [1, 1, 1, 2],
        [1, 2, 2, 3],
      ]) {
        await y({ x: value, w: weights }, { y: value });
        await holds(value, expected, 'y');
      }
      value.dispose();
    }),
    check('a value that does not fit an output is refused', async (own, y) => {
      const feeds = { x: square([1, 2, 3, 4]), w: weights };
      const [fits, long, whole] = [square([0, 0, 0, 0]), rows(3), weights.cast('int32') as Tensor].map((tensor) =>
        own.value(tensor),
      );
      await demandError(() => y(feeds, { z: fits! }), 'unknown-output', 'a value for an output that is not there');
      await demandError(() => y(feeds, { y: long! }), 'shape-mismatch', 'a value of another shape');
      await demandError(() => y(feeds, { y: whole! }), 'dtype-mismatch', 'a value of another dtype');
      const turned = own.value(new Tensor('float32', ['column', 'row'], [2, 2]) as Tensor);
      await demandError(() => y(feeds, { y: turned }), 'axis-mismatch', 'a value of other axes');
      const none = [1, 2, 3, 4] as unknown as Value;
      await demandError(() => y(feeds, { y: none }), 'dtype-mismatch', 'what is no value');
      for (const value of [fits, long, whole, turned]) value!.dispose();
    }),
    hostileFeedsCheck(runtime),
    hostileGivenCheck(runtime),
    hostileStepCheck(runtime),
    hostileWriteCheck(runtime),
    ...disposeChecks(runtime),
  ];
}
