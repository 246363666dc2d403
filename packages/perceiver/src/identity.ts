import { rename } from '@user-llm/graph';
import type { Compressor, EncodedEvents, UserLatents } from '@user-llm/plugin';
import { z } from 'zod';

/** The config of `identityCompressor`, which has no fields. */
export const identityConfig = z.strictObject({});

/** Hands on the event embeddings as they are, one latent per event, with the events' mask. */
export const identityCompressor: Compressor<z.infer<typeof identityConfig>> = {
  specVersion: 1,
  name: 'identity',
  config: identityConfig,
  build: () => ({
    parameters: {},
    apply: (_: unknown, { events, mask }: EncodedEvents): UserLatents => ({
      latents: rename(events, 'event', 'latent') as UserLatents['latents'],
      mask: rename(mask, 'event', 'latent') as UserLatents['mask'],
    }),
  }),
};
