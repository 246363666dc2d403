import {
  evaluate,
  graph,
  initializeParameters,
  input,
  parameterInputs,
  toReference,
  type NamedTensors,
  type Symbolic,
} from '@user-llm/graph';
import type { EncodedFeature, EncoderInputs, UserEncoder, UserEncoderModule } from '@user-llm/plugin';
import { Random, tensor, Tensor } from '@user-llm/tensor';

/** What the reference kernels take and give. */
export type Arrays = ReturnType<typeof evaluate>;
export type ReferenceArray = Arrays[string];

/** Features of the tests: items, a feature of several ids, one of few. */
export const items: EncodedFeature = { name: 'item', size: 12, slots: 1 };
export const genres: EncodedFeature = { name: 'genre', size: 7, slots: 3 };
export const ratings: EncodedFeature = { name: 'rating', size: 6, slots: 1 };

/** Any kind of encoder; `build` validates what it is given. */
export type AnyEncoder = Pick<UserEncoder, 'name' | 'config'> & {
  build(config: never, inputs: EncoderInputs): UserEncoderModule;
};

/** Validates a config and builds its encoder. */
export function build(
  encoder: AnyEncoder,
  config: Readonly<Record<string, unknown>>,
  inputs: EncoderInputs,
): UserEncoderModule {
  const result = encoder.config['~standard'].validate(config);
  if (result instanceof Promise || result.issues) throw new Error(JSON.stringify(result));
  return encoder.build(result.value as never, inputs);
}

/** The inputs of a batch in a graph. */
export function batchInputs(features: readonly EncodedFeature[], batch: number, events: number) {
  const columns = (prefix: string): Record<string, Symbolic<'int32'>> =>
    Object.fromEntries(
      features.map(({ name, slots }) => [
        name,
        slots === 1
          ? input(prefix + name, 'int32', ['batch', 'event'], [batch, events])
          : (input(prefix + name, 'int32', ['batch', 'event', 'slot'], [batch, events, slots]) as Symbolic<'int32'>),
      ]),
    );
  const own = {
    features: columns(''),
    labels: columns('label/'),
    mask: input('mask', 'bool', ['batch', 'event'], [batch, events]),
    seed: input('seed', 'int32', [], []),
  };
  return { ...own, all: [...Object.values(own.features), ...Object.values(own.labels), own.mask, own.seed] };
}

/** Histories of random ids, each from the start of its row, with what came after each event. */
export function randomBatch(
  features: readonly EncodedFeature[],
  lengths: readonly number[],
  events: number,
  seed: number,
): Record<string, Tensor> {
  const batch = lengths.length;
  const mask = Uint8Array.from({ length: batch * events }, (_, at) =>
    at % events < lengths[Math.floor(at / events)]! ? 1 : 0,
  );
  const tensors: Record<string, Tensor> = {
    mask: new Tensor('bool', ['batch', 'event'], [batch, events], mask) as unknown as Tensor,
    seed: tensor('int32', [], seed) as unknown as Tensor,
  };
  for (const { name, size, slots } of features) {
    const draws = new Float64Array(batch * (events + 1) * slots);
    Random.fromSeed(seed).split(name).uniform(draws);
    const idAt = (row: number, event: number, slot: number): number => {
      if (event > lengths[row]! || (slot > 0 && draws[(row * (events + 1) + event) * slots]! < 0.4)) return 0;
      return 3 + Math.floor(draws[(row * (events + 1) + event) * slots + slot]! * (size - 3));
    };
    const column = (shift: number) => {
      const data = new Int32Array(batch * events * slots);
      for (let at = 0; at < data.length; at++) {
        const event = Math.floor(at / slots) % events;
        const row = Math.floor(at / slots / events);
        data[at] = event < lengths[row]! ? idAt(row, event + shift, at % slots) : 0;
      }
      const axes = slots === 1 ? ['batch', 'event'] : ['batch', 'event', 'slot'];
      return new Tensor(
        'int32',
        axes,
        slots === 1 ? [batch, events] : [batch, events, slots],
        data,
      ) as unknown as Tensor;
    };
    tensors[name] = column(0);
    tensors[`label/${name}`] = column(1);
  }
  return tensors;
}

/** Host tensors as the reference kernels take them. */
export function asReference(tensors: Readonly<Record<string, Tensor>>): Arrays {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, toReference(value)]));
}

/** First values of a module's parameters, larger than those of training so that everything shows. */
export function firstValues(module: UserEncoderModule, seed = 5): Record<string, Tensor> {
  return initializeParameters(module.parameters, Random.fromSeed(seed)) as Record<string, Tensor>;
}

/** A function of a module's parameters and inputs, run by the reference kernels. */
export function reference(
  module: UserEncoderModule,
  inputs: readonly Symbolic[],
  outputs: (parameters: never) => NamedTensors,
): (feeds: Arrays, parameters?: Readonly<Record<string, Tensor>>) => Arrays {
  const { tree, named } = parameterInputs(module.parameters);
  const program = graph([...inputs, ...Object.values(named)], outputs(tree as never));
  return (feeds, parameters = firstValues(module)) => evaluate(program, { ...feeds, ...asReference(parameters) });
}
