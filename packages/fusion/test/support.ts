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
  type FloatScalar,
  type Module,
  type NamedTensors,
  type Symbolic,
} from '@user-llm/graph';
import type {
  Fusion,
  FusionModule,
  FusionSizes,
  HiddenStates,
  LanguageModelHooks,
  UserLatents,
} from '@user-llm/plugin';
import { Random, SafetensorsFile, Tensor, type Axes, type DType } from '@user-llm/tensor';

// B batch, K latents, E user width, L tokens, D width of the LLM.

/** The widths and layers of these tests. */
export const sizes: FusionSizes = { userWidth: 8, modelWidth: 12, layers: 4 };

/** Host tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;
/** Numbers by name, row-major. */
export type Numbers = Readonly<Record<string, readonly number[]>>;

/** A fusion with its defaults filled in. */
export function built<C>(fusion: Fusion<C>, config: object = {}, of: FusionSizes = sizes): FusionModule {
  const checked = fusion.config['~standard'].validate(config);
  if (checked instanceof Promise || checked.issues) throw new Error(JSON.stringify(checked));
  return fusion.build(checked.value, of);
}

/** Random numbers, the same for the same seed. */
export function random<const A extends Axes>(axes: A, shape: readonly number[], seed: number): Tensor<'float32', A> {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  Random.fromSeed(seed).normal(data);
  return new Tensor('float32', axes, shape, data);
}

/** Three users with three, two and no latents that say something, and hidden states of four tokens each. */
export const users: Tensors = {
  latents: random(['batch', 'latent', 'userWidth'], [3, 3, sizes.userWidth], 1),
  mask: new Tensor('bool', ['batch', 'latent'], [3, 3], Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0, 0)),
  hidden: random(['batch', 'token', 'modelWidth'], [3, 4, sizes.modelWidth], 2),
};

/** An input for a host tensor. */
export function inputFor(name: string, { dtype, axes, shape }: Tensor): Symbolic {
  return input<DType, Axes>(name, dtype, axes, shape);
}

/** `latents`, `mask` and `hidden` as inputs of a graph. */
export function userInputs(given: Tensors = users): { readonly users: UserLatents; readonly hidden: HiddenStates } {
  const of = (name: string) => inputFor(name, given[name]!);
  return {
    users: { latents: of('latents') as UserLatents['latents'], mask: of('mask') as UserLatents['mask'] },
    hidden: of('hidden') as HiddenStates,
  };
}

/** Hidden states as all layers of an LLM that does nothing else would leave them. */
export function throughLayers(hooks: LanguageModelHooks, hidden: HiddenStates, layers = sizes.layers): HiddenStates {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  return all.reduce((x, layer) => hooks.afterSelfAttention?.(x, layer) ?? x, hidden);
}

/** Runs a graph by the reference kernels, in float64. */
export function run(inputs: readonly Symbolic[], outputs: NamedTensors, feeds: Tensors): Numbers {
  const results = evaluate(graph(inputs, outputs), referenced(feeds));
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data)]));
}

/** Tensors as the reference kernels take them. */
export function referenced(tensors: Tensors): ReturnType<typeof evaluate> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toReference(tensor)]));
}

/** First values of parameters, or random ones in their place, gates and matrices that start at 0 too. */
export function valuesOf(module: Module, { trained = true, seed = 3 } = {}): Record<string, Tensor> {
  const first = initializeParameters(module.parameters, Random.fromSeed(seed));
  if (!trained) return first;
  return Object.fromEntries(
    Object.entries(first).map(([name, { axes, shape }], at) => {
      const { data } = random(axes, shape, 1000 * seed + at);
      return [
        name,
        new Tensor(
          'float32',
          axes,
          shape,
          data.map((value) => 0.4 * value),
        ),
      ];
    }),
  );
}

/** The hidden states after the hooks of a fusion, `[B, L, D]`. */
export function fused(module: FusionModule, parameters: Tensors, given: Tensors = users): readonly number[] {
  const { users: latents, hidden } = userInputs(given);
  const { tree, named } = parameterInputs(module.parameters);
  const out = throughLayers(module.apply(tree as never, latents), hidden);
  const inputs = [latents.latents, latents.mask, hidden, ...Object.values(named)];
  return run(inputs, { out }, { ...given, ...parameters })['out']!;
}

/** What comes out, and gradients of the sum of it times `weights` by all parameters, the latents and the hidden states. */
export function fusedGradients(module: FusionModule, parameters: Tensors, weights: Tensor, given: Tensors): Numbers {
  const { users: latents, hidden } = userInputs(given);
  const { tree, named } = parameterInputs(module.parameters);
  const out = throughLayers(module.apply(tree as never, latents), hidden);
  const weight = inputFor('weights', weights) as HiddenStates;
  const loss: FloatScalar = sum(multiply(out, weight));
  const { gradients, also } = differentiate(loss, { ...named, latents: latents.latents, hidden }, { out });
  const slopes = Object.entries(gradients).map(([name, slope]) => [`gradient/${name}`, slope] as const);
  const inputs = [latents.latents, latents.mask, hidden, weight, ...Object.values(named)];
  return run(inputs, { ...also, ...Object.fromEntries(slopes) }, { ...given, ...parameters, weights });
}

/** The tensors of a golden file by name, with the axes of parameters and inputs. */
export async function golden(name: string, module: Module): Promise<Record<string, Tensor>> {
  const axes = new Map([...flattenParameters(module.parameters)].map(([key, spec]) => [key, spec.axes]));
  for (const [key, tensor] of Object.entries(users)) axes.set(key, tensor.axes);
  axes.set('weights', users['hidden']!.axes);
  const file = await SafetensorsFile.open(fileURLToPath(new URL(`goldens/${name}.safetensors`, import.meta.url)));
  const read = file.names.map(async (key) => {
    const named = axes.get(key);
    return [key, await file.read(key, named ? { axes: named } : {})] as const;
  });
  const tensors = Object.fromEntries(await Promise.all(read));
  await file.close();
  return tensors;
}

/** The numbers of a tensor. */
export const numbers = (tensor: Tensor): number[] => tensor.toArray() as number[];

/** The largest difference of two lists of numbers. */
export function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  return Array.from(got).reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
}

/** A tensor with its rows along the second axis in another order. */
export function reordered(tensor: Tensor, order: readonly number[]): Tensor {
  const [batch, rows] = tensor.shape as readonly [number, number];
  const width = tensor.size / (batch * rows);
  const data = tensor.copy().data;
  const from = numbers(tensor);
  for (let user = 0; user < batch; user++) {
    order.forEach((source, at) => {
      for (let k = 0; k < width; k++) data[(user * rows + at) * width + k] = from[(user * rows + source) * width + k]!;
    });
  }
  return new Tensor(tensor.dtype, tensor.axes, tensor.shape, data);
}
