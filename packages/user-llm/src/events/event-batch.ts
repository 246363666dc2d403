import { input, type Size, type Symbolic } from '@user-llm/graph';
import type { EncodedFeature, EventBatch } from '@user-llm/plugin';
import type { Batch, EventTokenizer } from '@user-llm/tokenization';
import { type Tensor } from '@user-llm/tensor';

/** The names of a batch's tensors in graphs and feeds; the same in training, evaluation and serving. */
export const eventNames = {
  /** Ids of a feature, `[batch, event]` or `[batch, event, slot]`. */
  feature: (name: string): string => `events.${name}`,
  /** True where there is an event, `[batch, event]`. */
  mask: 'events.mask',
} as const;

/** The features of an event tokenizer as an encoder sees them. */
export function encodedFeatures(tokenizer: Pick<EventTokenizer, 'features'>): EncodedFeature[] {
  return tokenizer.features.map(({ name, slots, fitted }) => ({ name, slots, size: fitted.size }));
}

/** A batch of histories as inputs of a graph. */
export interface EventInputs {
  readonly batch: EventBatch;
  /** The inputs, for `graph`. */
  readonly inputs: readonly Symbolic[];
}

/**
 * Inputs of a graph for a batch of histories; `eventFeeds` has what they are fed.
 *
 * @param batch Number of rows, or a symbol.
 * @param events Events of a row, or a symbol.
 * @param seed Changes with every training step; nothing is dropped when it is absent.
 */
export function eventInputs(
  features: readonly Pick<EncodedFeature, 'name' | 'slots'>[],
  batch: Size,
  events: Size,
  seed?: EventBatch['seed'],
): EventInputs {
  const ids = features.map(({ name, slots }) => {
    const made: Symbolic<'int32'> =
      slots === 1
        ? input(eventNames.feature(name), 'int32', ['batch', 'event'], [batch, events])
        : input(eventNames.feature(name), 'int32', ['batch', 'event', 'slot'], [batch, events, slots]);
    return [name, made] as const;
  });
  const mask = input(eventNames.mask, 'bool', ['batch', 'event'], [batch, events]);
  return {
    batch: { features: Object.fromEntries(ids), mask, ...(seed && { seed }) },
    inputs: [...ids.map(([, made]) => made), mask],
  };
}

/** What the inputs of `eventInputs` are fed for a batch of a tokenizer. */
export function eventFeeds({ columns, mask }: Pick<Batch, 'columns' | 'mask'>): Record<string, Tensor> {
  const ids = Object.entries(columns as unknown as Readonly<Record<string, Tensor>>).map(
    ([name, column]) => [eventNames.feature(name), withoutSingleSlot(column)] as const,
  );
  return { ...Object.fromEntries(ids), [eventNames.mask]: mask as unknown as Tensor };
}

/** A feature of one slot has no slot axis, also where the schema names one. */
function withoutSingleSlot(column: Tensor): Tensor {
  const [batch, events, slots] = column.shape;
  if (slots !== 1) return column;
  return column.reshape(['batch', 'event'], [batch!, events!]) as unknown as Tensor;
}
