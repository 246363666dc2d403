import { graph, input, matmul, symbol, type Feeds, type Runtime } from '@user-llm/graph';
import { dtypes, Random, Tensor, type BaseDType } from '@user-llm/tensor';
import { demand, demandError, type Check } from './check.js';

/** Feeds that are tried. */
const tries = 300;

/** Makes feeds wrong in one way. */
type Harm = (feeds: Readonly<Record<string, Tensor>>, stream: ReturnType<Random['stream']>) => Feeds;

/** One feed of the two, its name with it, changed. */
function changed(feeds: Readonly<Record<string, Tensor>>, at: number, change: (tensor: Tensor) => Tensor): Feeds {
  const [name, tensor] = Object.entries(feeds)[at]!;
  return { ...feeds, [name]: change(tensor) };
}

const zeros = (dtype: BaseDType, axes: readonly string[], shape: readonly number[]): Tensor =>
  new Tensor(dtype, axes, shape) as Tensor;

/** Ways of being wrong, by the code of the error that each must get. */
const harms: Readonly<Record<string, Harm>> = {
  'missing-feed': (feeds, stream) => {
    const kept = Object.entries(feeds)[stream.below(2)]!;
    return stream.below(3) === 0 ? {} : Object.fromEntries([kept]);
  },
  'unknown-feed': (feeds, stream) => {
    const name = ['z', '', '__proto__', 'constructor', 'X', 'x '][stream.below(6)]!;
    return Object.fromEntries([...Object.entries(feeds), [name, feeds['x']!]]);
  },
  'dtype-mismatch': (feeds, stream) => {
    const others = dtypes.filter((dtype) => dtype !== 'float32');
    return changed(feeds, stream.below(2), ({ axes, shape }) =>
      zeros(others[stream.below(others.length)]!, axes, shape),
    );
  },
  'shape-mismatch': (feeds, stream) => {
    const rank = [0, 1, 3, 4][stream.below(4)]!;
    const axes = Array.from({ length: rank }, (_, axis) => `axis${axis}`);
    const size = [0, 1, 3, 100][stream.below(4)]!;
    return stream.below(2) === 0
      ? changed(feeds, stream.below(2), ({ dtype }) =>
          zeros(
            dtype as BaseDType,
            axes,
            axes.map(() => 2),
          ),
        )
      : changed(feeds, stream.below(2), ({ dtype, axes: own, shape }) =>
          zeros(dtype as BaseDType, own, [shape[0]!, size]),
        );
  },
  'axis-mismatch': (feeds, stream) =>
    changed(feeds, stream.below(2), ({ dtype, axes, shape }) =>
      zeros(dtype as BaseDType, stream.below(2) === 0 ? [...axes].reverse() : [axes[0]!, 'other'], shape),
    ),
};

/** Feeds that are wrong in hundreds of ways get the typed error of each, and leave the program as it was. */
export function hostileFeedsCheck(runtime: () => Promise<Runtime>): Check {
  return {
    name: 'wrong feeds are refused, each with its error, and the program runs on',
    run: async () => {
      const x = input('x', 'float32', ['row', 'column'], [symbol('rows'), 2]);
      const w = input('w', 'float32', ['column', 'width'], [2, 2]);
      const program = await (await runtime()).compile(graph([x, w], { y: matmul(x, w) }));
      const right = { x: zeros('float32', x.axes, [2, 2]), w: zeros('float32', w.axes, [2, 2]) };
      const kinds = Object.entries(harms);
      try {
        for (let at = 0; at < tries; at++) {
          const stream = Random.fromSeed(at).stream();
          const [code, harm] = kinds[at % kinds.length]!;
          await demandError(() => program.run(harm(right, stream)), code, `a run with wrong feeds (seed ${at})`);
        }
        const { y } = await program.run(right);
        const { data } = await y!.read();
        y!.dispose();
        demand(
          [...data].every((number) => Number(number) === 0),
          'y after wrong feeds',
          'zeros',
          `${[...data]}`,
        );
      } finally {
        await program.dispose();
      }
    },
  };
}
