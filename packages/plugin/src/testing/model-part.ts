import {
  differentiate,
  evaluate,
  graph,
  initializeParameters,
  input,
  parameterInputs,
  toReference,
  type FloatScalar,
  type Module,
  type NamedTensors,
  type ReferenceArray,
  type Size,
  type Symbolic,
} from '@user-llm/graph';
import { Random, Tensor, type Axes, type DType } from '@user-llm/tensor';
import type { ModelPart } from '../model-part.js';
import { demand, type Check } from './check.js';

/** Host tensors by the names of inputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What the reference kernels gave, by the names of outputs. */
export type Arrays = Readonly<Record<string, ReferenceArray>>;

/** A check whose part may also fail by throwing. */
export const check = (name: string, run: () => void): Check => ({ name, run: () => Promise.resolve().then(run) });

/** The config that a part makes of one as it is written. */
export function validated<Config>({ name, config }: ModelPart<Config>, written: unknown): Config {
  const result = config['~standard'].validate(written);
  if (!(result instanceof Promise) && result.issues === undefined) return result.value;
  const got = result instanceof Promise ? 'a promise' : result.issues!.map(({ message }) => message).join('; ');
  demand(false, `config of ${name}`, 'that it is valid, at once', got);
  throw new Error('unreachable');
}

/** Values of a module's parameters, none of them at a first value of 0 or 1, so that every parameter shows. */
export function shakenValues({ parameters }: Module): Tensors {
  const random = Random.fromSeed(11);
  const first = initializeParameters(parameters, random);
  return Object.fromEntries(
    Object.entries(first).map(([name, { axes, shape, data }]) => {
      const moved = random.split(`moved/${name}`).normal(new Float32Array(data.length), { standardDeviation: 0.3 });
      return [
        name,
        new Tensor(
          'float32',
          axes,
          shape,
          moved.map((value, at) => value + data[at]!),
        ) as Tensor,
      ];
    }),
  );
}

/** First values of a module's parameters, as training starts from. */
export const firstValues = ({ parameters }: Module): Tensors =>
  initializeParameters(parameters, Random.fromSeed(11)) as unknown as Tensors;

/** A module whose parameters are inputs of graphs to come. */
export interface Opened {
  readonly tree: never;
  readonly named: NamedTensors;
}

/** Makes the parameters of a module inputs. */
export function opened({ parameters }: Module): Opened {
  const { tree, named } = parameterInputs(parameters);
  return { tree: tree as never, named };
}

/** An input for a host tensor, with sizes of its own where they are to stay open. */
export function inputFor(name: string, { dtype, axes, shape }: Tensor, open: readonly Size[] = shape): Symbolic {
  return input<DType, Axes>(name, dtype, axes, open as never);
}

/** Runs a graph by the reference kernels, in float64; what it does not read may be fed too. */
export function run(
  inputs: readonly Symbolic[],
  outputs: NamedTensors,
  feeds: Readonly<Record<string, Tensor | ReferenceArray>>,
): Arrays {
  const made = graph(inputs, outputs);
  const fed = Object.keys(made.inputs).map((name) => [name, asArray(feeds[name]!)] as const);
  return evaluate(made, Object.fromEntries(fed));
}

/** A tensor as the reference kernels take it. */
export const asArray = (tensor: Tensor | ReferenceArray): ReferenceArray =>
  tensor instanceof Tensor ? toReference(tensor) : tensor;

/** The gradients of a number by named tensors, as outputs. */
export function slopes(loss: FloatScalar, by: NamedTensors): NamedTensors {
  const { gradients } = differentiate(loss, by);
  return Object.fromEntries(Object.entries(gradients).map(([name, slope]) => [`slope/${name}`, slope]));
}

/** Throws unless an output has the dtype, the axes and the sizes. */
export function demandType(
  what: string,
  { dtype, axes, shape }: { readonly dtype: DType; readonly axes: Axes; readonly shape: readonly Size[] },
  expected: { readonly dtype: DType; readonly axes: Axes; readonly shape: readonly Size[] },
): void {
  const show = (of: typeof expected): string =>
    `${of.dtype}[${of.axes.map((axis, at) => `${axis} ${String(of.shape[at])}`).join(', ')}]`;
  demand(show({ dtype, axes, shape }) === show(expected), what, show(expected), show({ dtype, axes, shape }));
}

/** Throws unless all numbers are finite. */
export function demandFinite(what: string, numbers: ArrayLike<number>): void {
  const wrong = Array.from(numbers).find((value) => !Number.isFinite(value));
  demand(wrong === undefined, what, 'finite numbers', String(wrong));
}

/** Throws unless numbers are equal within the rounding of float64. */
export function demandEqual(what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  demand(got.length === expected.length, what, `${expected.length} numbers`, String(got.length));
  const off = Array.from(got).findIndex((value, at) => {
    const wanted = expected[at]!;
    return !(Math.abs(value - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)));
  });
  demand(off < 0, `${what}, element ${off}`, String(expected[off]), String(got[off]));
}

/** Throws when numbers are the same to within rounding. */
export function demandDifferent(what: string, got: ArrayLike<number>, other: ArrayLike<number>): void {
  const far = Array.from(got).some((value, at) => Math.abs(value - other[at]!) > 1e-6);
  demand(far, what, 'other numbers', 'the same');
}

/** The rows of a `[batch, row, width]` array that a mask `[batch, row]` leaves, one after the other. */
export function rowsWhere({ data, shape }: ReferenceArray, mask: ArrayLike<number | boolean>): number[] {
  const width = shape[2]!;
  return Array.from(data).filter((_, at) => Boolean(mask[Math.floor(at / width)]));
}
