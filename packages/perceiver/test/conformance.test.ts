import { compressorChecks } from '@user-llm/plugin/testing';
import { describe, it } from 'vitest';
import { identityCompressor, lastEvent, meanPool, perceiverResampler } from '../src/index.js';

const resampler = { latents: 3, layers: 2, heads: 2 };

describe.each([
  ['perceiver', perceiverResampler, resampler, { latents: 3, readsOrder: false }],
  [
    'perceiver, events alone',
    perceiverResampler,
    { ...resampler, readLatents: false },
    { latents: 3, readsOrder: false },
  ],
  ['perceiver, recency', perceiverResampler, { ...resampler, recency: 4 }, { latents: 3, readsOrder: true }],
  ['mean', meanPool, {}, { latents: 1, readsOrder: false }],
  [
    'perceiver, then the last two',
    perceiverResampler,
    { ...resampler, lastEvents: 2 },
    { latents: 5, readsOrder: true },
  ],
  ['last', lastEvent, {}, { latents: 1, readsOrder: true }],
  ['identity', identityCompressor, {}, { latents: 'events', readsOrder: true }],
] as const)('%s conforms', (_, compressor, config, claims) => {
  for (const check of compressorChecks(compressor as never, config, claims)) it(check.name, () => check.run());
});
