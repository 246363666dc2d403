import {
  add,
  applyOne,
  cast,
  greaterEqual,
  maximum,
  operators,
  range,
  rename,
  reshape,
  takeAlong,
  type Symbolic,
} from '@user-llm/graph';
import type { Compressor, EncodedEvents, UserLatents } from '@user-llm/plugin';
import { z } from 'zod';
import { countEvents } from './presence.js';

// B batch, T events of a history, E user width, K latents: the last events.

/** The config of `lastEvent`. */
export const lastEventConfig = z.strictObject({
  events: z.int().min(1).default(1).describe('How many of the last events are handed on, the oldest of them first.'),
});

/** A checked config of `lastEvent`. */
export type LastEventConfig = z.infer<typeof lastEventConfig>;

/** The embeddings of the last events as they are, `[B, K, E]`, the oldest first; masked where a user has fewer. */
export function lastEvents({ events, mask }: EncodedEvents, count: number): UserLatents {
  const batch = events.shape[0]!;
  const userWidth = events.shape[2]!;
  const count_B1 = reshape(cast(countEvents(mask), 'int32'), ['batch', 'latent'], [batch, 1]);
  const back_1K = reshape(add(range('latent', count), -count), ['batch', 'latent'], [1, count]);
  const place_BK = add(count_B1, back_1K);
  const place_BK1 = reshape(maximum(place_BK, 0), ['batch', 'latent', 'userWidth'], [batch, count, 1]);
  const spread = { axes: ['batch', 'latent', 'userWidth'], shape: [batch, count, userWidth] };
  const place_BKE = applyOne(operators.broadcastTo, [place_BK1], spread) as Symbolic<
    'int32',
    readonly ['batch', 'latent', 'userWidth']
  >;
  return {
    latents: takeAlong(rename(events, 'event', 'latent'), place_BKE, 'latent'),
    mask: greaterEqual(place_BK, 0),
  };
}

/**
 * Hands on the embeddings of the last events, `[B, K, E]`, one unless told otherwise. After a causal encoder the last
 * one has read all events before it. A user with fewer events has fewer latents: the first ones are masked.
 */
export const lastEvent: Compressor<LastEventConfig> = {
  specVersion: 1,
  name: 'last',
  config: lastEventConfig,
  build: ({ events }) => ({ parameters: {}, apply: (_: unknown, batch: EncodedEvents) => lastEvents(batch, events) }),
};
