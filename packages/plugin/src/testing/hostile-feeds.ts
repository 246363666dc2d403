import { add, graph, input, matmul, multiply, symbol, type Feeds, type Runtime } from '@user-llm/graph';
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
    if (stream.below(4) === 0) {
      const none = [[1, 2], Float32Array.of(1), 'x', 5, {}, { dtype: 'float32' }][stream.below(6)];
      return changed(feeds, stream.below(2), () => none as unknown as Tensor);
    }
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

/** The graph whose feeds are made wrong, `y = x w`, and feeds of zeros that are right. */
function product() {
  const x = input('x', 'float32', ['row', 'column'], [symbol('rows'), 2]);
  const w = input('w', 'float32', ['column', 'width'], [2, 2]);
  const right = { x: zeros('float32', x.axes, [2, 2]), w: zeros('float32', w.axes, [2, 2]) };
  return { source: graph([x, w], { y: matmul(x, w) }), right };
}

/** Calls `attempt` with feeds that are wrong in hundreds of ways; each must get its error. */
async function refuseAll(
  what: string,
  right: Readonly<Record<string, Tensor>>,
  kinds: readonly (readonly [string, Harm])[],
  attempt: (wrong: Feeds) => unknown,
): Promise<void> {
  for (let at = 0; at < tries; at++) {
    const [code, harm] = kinds[at % kinds.length]!;
    const wrong = harm(right, Random.fromSeed(at).stream());
    await demandError(() => attempt(wrong), code, `${what} (seed ${at})`);
  }
}

/** Inputs that are given once are refused as feeds are, when the program or the step is compiled. */
export function hostileGivenCheck(runtime: () => Promise<Runtime>): Check {
  return {
    name: 'wrong inputs that are given once are refused, each with its error',
    run: async () => {
      const own = await runtime();
      const { source, right } = product();
      // One that is not given is fed.
      const kinds = Object.entries(harms).filter(([code]) => code !== 'missing-feed');
      const compile = async (given: Feeds): Promise<void> => {
        await (await own.compile(source, given as Readonly<Record<string, Tensor>>)).dispose();
      };
      await refuseAll('a program with wrong frozen inputs', right, kinds, compile);
      const program = await own.compile(source, { w: right.w });
      try {
        await demandError(() => program.run(right), 'unknown-feed', 'a feed for a frozen input');
      } finally {
        await program.dispose();
      }
    },
  };
}

/** A training step refuses what its shapes, carried and frozen inputs do not fit, before and while it runs. */
export function hostileStepCheck(runtime: () => Promise<Runtime>): Check {
  return {
    name: 'wrong feeds of a training step are refused, and so is what it starts from',
    run: async () => {
      const own = await runtime();
      const [x, w, u] = ['x', 'w', 'u'].map((name) => input(name, 'float32', ['row', 'column'], [2, 2]));
      const source = graph([x!, w!, u!], { y: multiply(x!, u!), next: add(w!, x!) });
      const [right, turned, long, whole] = [
        zeros('float32', ['row', 'column'], [2, 2]),
        zeros('float32', ['column', 'row'], [2, 2]),
        zeros('float32', ['row', 'column'], [3, 2]),
        zeros('int32', ['row', 'column'], [2, 2]),
      ];
      const options = { carry: { w: 'next' }, initial: { w: right! }, frozen: { u: right! } };
      for (const [code, wrong] of [
        ['axis-mismatch', turned!],
        ['shape-mismatch', long!],
        ['dtype-mismatch', whole!],
      ] as const) {
        await demandError(() => own.compileTrainStep(source, { ...options, initial: { w: wrong } }), code, 'a start');
        await demandError(
          () => own.compileTrainStep(source, { ...options, frozen: { u: wrong } }),
          code,
          'a frozen input',
        );
      }
      const frozen = { u: right!, z: right! };
      await demandError(
        () => own.compileTrainStep(source, { ...options, frozen }),
        'unknown-feed',
        'one more frozen input',
      );
      for (const each of [source, (shapes: Shapes) => (shapes['x']![0] === 2 ? source : graph([x!, w!, u!], {}))]) {
        const step = await own.compileTrainStep(each, options);
        try {
          await demandError(() => step.run({}), 'missing-feed', 'a step without feeds');
          await demandError(() => step.run({ x: turned! }), 'axis-mismatch', 'a step with turned feeds');
          await demandError(() => step.run({ x: [1, 2] as unknown as Tensor }), 'dtype-mismatch', 'a step on an array');
          await demandError(() => step.run({ x: right!, w: right! }), 'unknown-feed', 'a feed for a carried input');
          await demandError(() => step.run({ x: right!, u: right! }), 'unknown-feed', 'a feed for a frozen input');
          for (const value of Object.values(await step.run({ x: right! }))) value.dispose();
        } finally {
          await step.dispose();
        }
      }
    },
  };
}

type Shapes = Readonly<Record<string, readonly number[]>>;

/** What is written into a value is refused as a feed is. */
export function hostileWriteCheck(runtime: () => Promise<Runtime>): Check {
  return {
    name: 'what does not fit a value is not written into it',
    run: async () => {
      const value = (await runtime()).value(zeros('float32', ['row', 'column'], [2, 2]));
      try {
        for (const [code, tensor] of [
          ['dtype-mismatch', zeros('int32', ['row', 'column'], [2, 2])],
          ['axis-mismatch', zeros('float32', ['column', 'row'], [2, 2])],
          ['shape-mismatch', zeros('float32', ['row', 'column'], [2, 3])],
          ['shape-mismatch', zeros('float32', ['row'], [4])],
          ['dtype-mismatch', [1, 2, 3, 4] as unknown as Tensor],
        ] as const) {
          await demandError(() => value.write(tensor), code, `a write of ${String(tensor)}`);
        }
      } finally {
        value.dispose();
      }
    },
  };
}

/** Feeds that are wrong in hundreds of ways get the typed error of each, and leave the program as it was. */
export function hostileFeedsCheck(runtime: () => Promise<Runtime>): Check {
  return {
    name: 'wrong feeds are refused, each with its error, and the program runs on',
    run: async () => {
      const { source, right } = product();
      const program = await (await runtime()).compile(source);
      try {
        await refuseAll('a run with wrong feeds', right, Object.entries(harms), (wrong) => program.run(wrong));
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
