import { add, graph, input, matmul, rename, type Graph, type Results, type Runtime } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { demand, demandError, type Check } from './check.js';

const [size, products] = [96, 120];

/** `y = x + x w w w ...`, long enough to be under way for a while, and `next`, the `x` of a step after it. */
function longProduct(): Graph {
  const x = input('x', 'float32', ['row', 'column'], [size, size]);
  const w = input('w', 'float32', ['column', 'width'], [size, size]);
  let y = x;
  for (let at = 0; at < products; at++) y = rename(matmul(y, w), 'width', 'column');
  return graph([x, w], { y, next: add(x, y) });
}

const filled = (axes: readonly string[], value: number): Tensor =>
  new Tensor('float32', axes, [size, size], new Float32Array(size * size).fill(value)) as Tensor;

const x = filled(['row', 'column'], 3);
const w = filled(['column', 'width'], 1 / size);

async function requireWhole(results: Results): Promise<void> {
  const { data } = await results['y']!.read();
  const wrong = [...data].findIndex((number) => Math.abs(Number(number) - 3) > 1e-3);
  demand(wrong < 0, 'a run under way when its program was disposed of', '3 everywhere', `${data[wrong]}`);
  for (const value of Object.values(results)) value.dispose();
}

/** Lets the run get under way. */
const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));

/** Programs and steps are released after the runs under way, once. */
export function disposeChecks(runtime: () => Promise<Runtime>): readonly Check[] {
  return [
    {
      name: 'a program that is disposed of finishes the runs under way, and begins no more',
      run: async () => {
        const program = await (await runtime()).compile(longProduct(), { w });
        const runs = [program.run({ x }), program.run({ x })];
        await turn();
        const disposed = program.dispose();
        for (const results of await Promise.all(runs)) await requireWhole(results);
        await disposed;
        await demandError(() => program.run({ x }), 'disposed', 'a run of a program that was disposed of');
        await program.dispose();
      },
    },
    {
      name: 'a training step that is disposed of finishes the step under way, and makes no more',
      run: async () => {
        const options = { carry: { x: 'next' }, initial: { x }, frozen: { w } };
        const step = await (await runtime()).compileTrainStep(longProduct(), options);
        const run = step.run({});
        await turn();
        const disposed = step.dispose();
        await requireWhole(await run);
        await disposed;
        await demandError(() => step.run({}), 'disposed', 'a step after it was disposed of');
        await step.dispose();
      },
    },
  ];
}
