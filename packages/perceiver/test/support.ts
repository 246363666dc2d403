import { fileURLToPath } from 'node:url';
import {
  differentiate,
  evaluate,
  flattenParameters,
  graph,
  initializeParameters,
  input,
  multiply,
  parameterInputs,
  sum,
  toReference,
  type Float,
} from '@user-llm/graph';
import type { Compressor, UserLatents } from '@user-llm/plugin';
import { Random, SafetensorsFile, Tensor } from '@user-llm/tensor';

// B batch, T events of a history, E user width, K latents.

/** The width of event embeddings in these tests. */
export const userWidth = 8;

/** Host tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** A compressor with its defaults filled in. */
export function built<C>(compressor: Compressor<C>, config: object = {}, width = userWidth) {
  const checked = compressor.config['~standard'].validate(config);
  if (checked instanceof Promise || checked.issues) throw new Error(JSON.stringify(checked));
  return compressor.build(checked.value, width);
}

/** Random numbers, the same for the same seed. */
export function random<const A extends readonly string[]>(
  axes: A,
  shape: readonly number[],
  seed: number,
): Tensor<'float32', A> {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  Random.fromSeed(seed).normal(data);
  return new Tensor('float32', axes, shape, data);
}

/** `[B, T]`, true for the first events of each row. */
export function maskOf(counts: readonly number[], length: number, axis: 'event' | 'latent' = 'event'): Tensor<'bool'> {
  const data = counts.flatMap((count) => Array.from({ length }, (_, at) => Number(at < count)));
  return new Tensor('bool', ['batch', axis], [counts.length, length], Uint8Array.from(data));
}

/** What came out, and gradients of the sum of the latents times `weights` if those are given. */
export interface Compressed {
  readonly latents: readonly number[];
  readonly mask: readonly number[];
  readonly shape: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** Runs a compressor by the reference kernels, in float64. */
export function compress(
  module: ReturnType<typeof built>,
  events: Tensor,
  mask: Tensor,
  parameters: Tensors = initialize(module),
  weights?: Tensor,
): Compressed {
  const [batch, time, width] = events.shape as readonly [number, number, number];
  const events_BTE = input('events', 'float32', ['batch', 'event', 'userWidth'], [batch, time, width]);
  const mask_BT = input('mask', 'bool', ['batch', 'event'], [batch, time]);
  const { tree, named } = parameterInputs(module.parameters);
  const users = module.apply(tree as never, { events: events_BTE, mask: mask_BT });
  const outputs = { 'out/latents': users.latents, 'out/mask': users.mask };
  const feeds = { events, mask, ...parameters };
  const inputs = [events_BTE, mask_BT, ...Object.values(named)];
  if (!weights) return taken(evaluate(graph(inputs, outputs), referenced(feeds)), users);
  const weight = input('weights', 'float32', users.latents.axes, weights.shape as never);
  const loss = sum(multiply(users.latents, weight as Float<readonly ['batch', 'latent', 'userWidth']>));
  const { gradients, also } = differentiate(loss, { ...named, events: events_BTE }, outputs);
  const slopes = Object.fromEntries(Object.entries(gradients).map(([name, slope]) => [`gradient/${name}`, slope]));
  return taken(evaluate(graph([...inputs, weight], { ...also, ...slopes }), referenced({ ...feeds, weights })), users);
}

/** First values of a compressor's parameters. */
export function initialize(module: ReturnType<typeof built>, seed = 1): Record<string, Tensor> {
  return initializeParameters(module.parameters, Random.fromSeed(seed));
}

function referenced(tensors: Tensors) {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toReference(tensor)]));
}

function taken(results: ReturnType<typeof evaluate>, users: UserLatents): Compressed {
  const listed = Object.entries(results).map(([name, { data }]) => [name, Array.from(data)] as const);
  return {
    latents: Array.from(results['out/latents']!.data),
    mask: Array.from(results['out/mask']!.data),
    shape: users.latents.shape.map(Number),
    gradients: Object.fromEntries(listed.filter(([name]) => name.startsWith('gradient/'))),
  };
}

/** The tensors of a golden file by name, real ones as float64 or float32, with the axes of the parameters. */
export async function golden(name: string, module: ReturnType<typeof built>): Promise<Record<string, Tensor>> {
  const axes = new Map([...flattenParameters(module.parameters)].map(([key, spec]) => [key, spec.axes]));
  axes.set('events', ['batch', 'event', 'userWidth']).set('mask', ['batch', 'event']);
  const file = await SafetensorsFile.open(fileURLToPath(new URL(`goldens/${name}.safetensors`, import.meta.url)));
  const read = file.names.map(async (key) => {
    const named = axes.get(key.replace(/^gradient\//, ''));
    return [key, await file.read(key, named ? { axes: named } : {})] as const;
  });
  const tensors = Object.fromEntries(await Promise.all(read));
  await file.close();
  return tensors;
}

/** The largest difference of two lists of numbers. */
export function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  return Array.from(got).reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
}
