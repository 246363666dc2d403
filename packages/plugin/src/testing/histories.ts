import { input, symbol, type Size, type Symbolic } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import type { EncodedFeature, EncoderInputs, PretrainingBatch } from '../user-encoder.js';
import type { Tensors } from './model-part.js';

/** The features of the histories that encoders are tried on: items, a feature of several ids, one of few. */
export const known: EncoderInputs = {
  item: 'item',
  features: [
    { name: 'item', size: 12, slots: 1 },
    { name: 'genre', size: 7, slots: 3 },
    { name: 'rating', size: 6, slots: 1 },
  ],
};

/** Histories of made-up events. */
export interface Histories {
  /** Events of each user. */
  readonly lengths: readonly number[];
  /** Places of a row; what a history leaves is padding. */
  readonly places: number;
  /** Another number at an event gives it other ids in every feature. */
  readonly version?: (user: number, event: number) => number;
  /** The id that stands in the padding. */
  readonly padding?: number;
}

/** The names of users' ids, labels and mask, as tensors. */
export function historyFeeds({ lengths, places, version = () => 0, padding = 0 }: Histories): Tensors {
  const cells = lengths.flatMap((length, user) =>
    Array.from({ length: places }, (_, event) => ({ user, event, length })),
  );
  const columns = known.features.flatMap((feature) => {
    const ids = (shift: number, empty: number) =>
      cells.flatMap(({ user, event, length }) => {
        const at = event + shift;
        const id = (slot: number): number => idOf(feature, user, at, slot, version(user, at));
        return Array.from({ length: feature.slots }, (_, slot) => (at < length ? id(slot) : empty));
      });
    return [
      [feature.name, idTensor(feature, lengths.length, places, ids(0, padding))],
      [`label/${feature.name}`, idTensor(feature, lengths.length, places, ids(1, 0))],
    ] as const;
  });
  const mask = Uint8Array.from(cells, ({ event, length }) => Number(event < length));
  return {
    ...Object.fromEntries(columns),
    mask: new Tensor('bool', ['batch', 'event'], [lengths.length, places], mask) as Tensor,
  };
}

/** An id of an event; of several slots the last is free. */
function idOf({ size, slots }: EncodedFeature, user: number, event: number, slot: number, version: number): number {
  if (slot > 0 && slot === slots - 1) return 0;
  return 3 + ((7 * user + 3 * event + slot + 5 * version) % (size - 3));
}

function idTensor({ slots }: EncodedFeature, users: number, places: number, ids: readonly number[]): Tensor {
  const [axes, shape] =
    slots === 1
      ? [
          ['batch', 'event'],
          [users, places],
        ]
      : [
          ['batch', 'event', 'slot'],
          [users, places, slots],
        ];
  return new Tensor('int32', axes as string[], shape as number[], Int32Array.from(ids)) as Tensor;
}

/** Inputs of graphs for histories; their sizes stay open unless they are given. */
export function historyInputs(
  batch: Size = symbol('batch'),
  places: Size = symbol('event'),
): PretrainingBatch & { readonly all: readonly Symbolic[] } {
  const columns = (prefix: string): Record<string, Symbolic<'int32'>> =>
    Object.fromEntries(
      known.features.map(({ name, slots }) => [
        name,
        slots === 1
          ? input(prefix + name, 'int32', ['batch', 'event'], [batch, places])
          : (input(prefix + name, 'int32', ['batch', 'event', 'slot'], [batch, places, slots]) as Symbolic<'int32'>),
      ]),
    );
  const features = columns('');
  const labels = columns('label/');
  const mask = input('mask', 'bool', ['batch', 'event'], [batch, places]);
  return { features, labels, mask, all: [...Object.values(features), ...Object.values(labels), mask] };
}
