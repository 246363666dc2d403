import { input, type NamedTensors, type ReferenceArray, type Symbolic } from '@user-llm/graph';
import type { EventAppender, UserEncoderModule } from '../user-encoder.js';
import { demand } from './check.js';
import { historyFeeds, historyInputs, known, type Histories } from './histories.js';
import { asArray, opened, rowsWhere, run, shakenValues, type Arrays } from './model-part.js';

/** Three users: one whose history fills the row, one of fewer events, one of none. */
export function usual({ maximumEvents }: UserEncoderModule): Histories {
  const places = Math.min(maximumEvents, 5);
  return { lengths: [places, 2, 0], places };
}

/** Histories in which one event is another. */
export function changedAt(histories: Histories, user: number, event: number): Histories {
  return { ...histories, version: (of, at) => Number(of === user && at === event) };
}

/** A graph of all that an encoder says of histories. */
interface EncoderGraph {
  readonly inputs: readonly Symbolic[];
  /** `events`, `mask`, `next`, and `loss` where sizes are fixed. */
  readonly outputs: NamedTensors;
  /** The encoder's parameters by name. */
  readonly named: NamedTensors;
}

/** All that an encoder says of histories; sizes stay open unless they are given. */
export function outputsOf(module: UserEncoderModule, batch?: number, places?: number): EncoderGraph {
  const { all, ...histories } = historyInputs(batch, places);
  const { tree, named } = opened(module);
  const { events, mask } = module.apply(tree, histories);
  const outputs: NamedTensors = { events, mask, next: module.nextItem(tree, histories) };
  // Training knows its sizes; a loss need not do without.
  const loss = batch === undefined ? {} : { loss: module.loss(tree, histories) };
  return { inputs: [...all, ...Object.values(named)], outputs: { ...outputs, ...loss }, named };
}

/** What an encoder says of histories: `events`, `mask`, `next`, and `loss` where sizes are fixed. */
export function encode(module: UserEncoderModule, histories: Histories, sizes: 'open' | 'fixed' = 'fixed'): Arrays {
  const fixed = sizes === 'fixed' ? ([histories.lengths.length, histories.places] as const) : [];
  const { inputs, outputs } = outputsOf(module, ...fixed);
  return run(inputs, outputs, { ...historyFeeds(histories), ...shakenValues(module) });
}

/** The embeddings of all events that are there, user after user. */
export function realEvents({ events }: Arrays, histories: Histories): number[] {
  return rowsWhere(events!, asArray(historyFeeds(histories)['mask']!).data);
}

/** Places of one user along the second axis. */
export function slice({ dtype, shape, data }: ReferenceArray, user: number, from: number, to: number): ReferenceArray {
  const [, places, ...inner] = shape;
  const width = inner.reduce((product, size) => product * size, 1);
  const start = user * places! * width;
  return { dtype, shape: [1, to - from, ...inner], data: data.slice(start + from * width, start + to * width) };
}

/** The embeddings of all events, appended to nothing two at first and then the others. */
export function appended(module: UserEncoderModule, appender: EventAppender, { lengths, places }: Histories): number[] {
  const feeds = historyFeeds({ lengths, places });
  const { tree, named } = opened(module);
  const values = shakenValues(module);
  return lengths.flatMap((length, user) => {
    let state: Arrays = Object.fromEntries(
      Object.entries(appender.state).map(([name, { shape }]) => [name, zerosOf([1, ...shape])]),
    );
    return [
      [0, Math.min(2, length)],
      [Math.min(2, length), length],
    ].flatMap(([from, to]) => {
      if (from === to) return [];
      const columns = known.features.map(({ name }) => [name, slice(asArray(feeds[name]!), user, from!, to!)] as const);
      const given = Object.fromEntries(columns.map(([name, array]) => [name, idInput(name, array)]));
      const before = Object.fromEntries(
        Object.entries(appender.state).map(([name, { axes, shape }]) => [
          name,
          input(`state/${name}`, 'float32', ['batch', ...axes], [1, ...shape] as never) as Symbolic,
        ]),
      );
      const lengths_B = input('lengths', 'int32', ['batch'], [1]);
      const grown = appender.append(tree, { features: given, lengths: lengths_B, state: before });
      demand(
        `${Object.keys(grown.state)}` === `${Object.keys(appender.state)}`,
        'what is kept',
        `${Object.keys(appender.state)}`,
        `${Object.keys(grown.state)}`,
      );
      const kept = Object.fromEntries(Object.entries(grown.state).map(([name, tensor]) => [`state/${name}`, tensor]));
      const inputs = [...Object.values(given), ...Object.values(before), lengths_B, ...Object.values(named)];
      const made = run(
        inputs,
        { ...kept, events: grown.events },
        {
          ...values,
          ...Object.fromEntries(columns),
          ...Object.fromEntries(Object.entries(state).map(([name, array]) => [`state/${name}`, array])),
          lengths: { dtype: 'int32', shape: [1], data: Float64Array.of(from!) },
        },
      );
      state = Object.fromEntries(Object.keys(state).map((name) => [name, made[`state/${name}`]!]));
      return Array.from(made['events']!.data);
    });
  });
}

const zerosOf = (shape: readonly number[]): ReferenceArray => ({
  dtype: 'float32',
  shape,
  data: new Float64Array(shape.reduce((product, size) => product * size, 1)),
});

function idInput(name: string, { shape }: ReferenceArray): Symbolic<'int32'> {
  const axes = shape.length === 2 ? ['batch', 'event'] : ['batch', 'event', 'slot'];
  return input(name, 'int32', axes, shape as never) as Symbolic<'int32'>;
}
