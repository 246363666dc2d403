import {
  add,
  gather,
  minimum,
  parameter,
  range,
  reshape,
  slice,
  type Float,
  type ParameterSpec,
  type ParameterTree,
  type Size,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { headSizeOf, noDropout, transformer, type Dropout, type TransformerParameters } from '@user-llm/layers';
import type { EncoderInputs, EventAppender } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { badConfig } from './bad-config.js';
import { eventEmbedding, type EventEmbeddingParameters, type Events, type FeatureIds } from './event-embedding.js';
import type { FeatureTable } from './feature-table.js';
import { initializationOf, type TowerConfig } from './tower-config.js';

// B batch, T events of a history, E userWidth.

/** Parameters of a Transformer over events. */
export type EventTowerParameters = EventEmbeddingParameters & {
  readonly encoder: TransformerParameters<'userWidth'>;
};

type Own = SymbolicParameters<EventTowerParameters>;
type Positions = { readonly positions: { readonly weight: ParameterSpec<readonly ['event', 'userWidth']> } };

/** A Transformer over events. */
export interface EventTower {
  readonly tables: Readonly<Record<string, FeatureTable>>;
  readonly parameters: EventTowerParameters & ParameterTree;
  /** @param mask `[B, T]`, true where an event may be read; a causal tower of rows filled from the start needs none. */
  apply(
    own: Own,
    ids: FeatureIds,
    options?: { readonly mask?: Symbolic<'bool', readonly ['batch', 'event']>; readonly dropout?: Dropout },
  ): Events;
  readonly appender: EventAppender;
}

/** Positions of new events behind those that came before, `[B, T]`; padding may lie beyond the last one there is. */
function positionsAfter(
  lengths: Symbolic<'int32', readonly ['batch']>,
  events: Size,
  positions: number,
): Symbolic<'int32', readonly ['batch', 'event']> {
  const before_B1 = reshape(lengths, ['batch', 'event'], [lengths.shape[0]!, 1]);
  const new_1T = reshape(range('event', events), ['batch', 'event'], [1, events]);
  return minimum(add(before_B1, new_1T), positions - 1);
}

/** What a tower is beside its config. */
export interface EventTowerKind {
  /** Name for errors. */
  readonly what: string;
  readonly causal: boolean;
  /** Positions it needs; the config's `maximumEvents` when absent. */
  readonly positions?: number;
}

/**
 * A pre-norm Transformer over the embeddings of events. Applied to more events than it has positions, it throws
 * `history-too-long`; to a batch without one of the features, `missing-feature`.
 *
 * @throws UserLlmError `bad-config` when heads or rotary positions do not fit the width.
 */
export function eventTower(config: TowerConfig, inputs: EncoderInputs, kind: EventTowerKind): EventTower {
  const { width, heads, layers, maximumEvents, deviation, dropout: rate } = config;
  const headSize = headSizeOf(kind.what, width, heads);
  const rotary = config.positions === 'rotary';
  if (rotary && headSize % 2 !== 0)
    throw badConfig(kind.what, 'an even head size (width / heads) for rotary positions', `${headSize}`);
  const embedding = eventEmbedding(config, inputs);
  const size = kind.positions ?? maximumEvents;
  const stack = transformer({
    width: { axis: 'userWidth', size: width },
    layers,
    heads,
    feedForward: config.feedForward ?? 4 * width,
    activation: config.activation,
    causal: kind.causal,
    ...(rotary && { rotaryBase: config.rotaryBase }),
    epsilon: config.epsilon,
    initialization: initializationOf(config),
    dropout: rate,
  });
  const learned: Positions | undefined =
    config.positions === 'learned'
      ? {
          positions: {
            weight: parameter(['event', 'userWidth'], [size, width], { kind: 'normal', standardDeviation: deviation }),
          },
        }
      : undefined;
  const table = (own: Own): Float<readonly ['event', 'userWidth']> =>
    (own as unknown as SymbolicParameters<Positions>).positions.weight;
  const cacheNames = Array.from({ length: layers }, (_, layer) => ({
    keys: `layers.${layer}.keys`,
    values: `layers.${layer}.values`,
  }));
  const kept = { axes: ['keyValueHead', 'place', 'headSize'], shape: [heads, maximumEvents, headSize] };
  return {
    tables: embedding.tables,
    parameters: { ...embedding.parameters, ...learned, encoder: stack.parameters },
    apply: (own, ids, { mask, dropout = noDropout } = {}) => {
      const first = embedding.apply(own, ids);
      const events = first.shape[1]!;
      if (typeof events === 'number' && events > size)
        throw new UserLlmError('history-too-long', {
          what: kind.what,
          expected: `at most ${size} events`,
          got: `${events}`,
          mend: 'Give it the last events, or raise maximumEvents and train again.',
        });
      const placed = learned ? add(first, slice(table(own), 'event', 0, events)) : first;
      return stack.apply(own.encoder, dropout(placed, rate), { dropout, ...(mask && { mask }) });
    },
    appender: {
      state: Object.fromEntries(cacheNames.flatMap(({ keys, values }) => [keys, values]).map((name) => [name, kept])),
      append: (parameters, { features, lengths, state }) => {
        const own = parameters as Own;
        const first = embedding.apply(own, features);
        const placed = learned ? add(first, gather(table(own), positionsAfter(lengths, first.shape[1]!, size))) : first;
        const caches = cacheNames.map(({ keys, values }) => ({ keys: state[keys], values: state[values] }) as never);
        const { x, caches: grown } = stack.append(own.encoder, placed, caches, lengths);
        const named = cacheNames.flatMap(({ keys, values }, layer) => [
          [keys, grown[layer]!.keys as Symbolic] as const,
          [values, grown[layer]!.values as Symbolic] as const,
        ]);
        return { events: x, state: Object.fromEntries(named) };
      },
    },
  };
}
