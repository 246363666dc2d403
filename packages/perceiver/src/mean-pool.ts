import { divide, maximum, reshape, sum, where } from '@user-llm/graph';
import type { Compressor, EncodedEvents, UserLatents } from '@user-llm/plugin';
import { z } from 'zod';
import { countEvents, maskOfPresent } from './presence.js';

/** The config of `meanPool`, which has no fields. */
export const meanPoolConfig = z.strictObject({});

/** The mean of a user's event embeddings as one latent, `[B, 1, E]`, masked for a user with no events. */
export const meanPool: Compressor<z.infer<typeof meanPoolConfig>> = {
  specVersion: 1,
  name: 'mean',
  config: meanPoolConfig,
  build: (_, userWidth) => ({
    parameters: {},
    apply: (_: unknown, { events, mask }: EncodedEvents): UserLatents => {
      const mean_BE = divide(sum(where(mask, events, 0), 'event'), maximum(countEvents(mask), 1));
      const shape = [events.shape[0]!, 1, userWidth] as const;
      return { latents: reshape(mean_BE, ['batch', 'latent', 'userWidth'], shape), mask: maskOfPresent(mask, 1) };
    },
  }),
};
