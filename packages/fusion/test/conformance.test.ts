import { fusionChecks } from '@user-llm/plugin/testing';
import { describe, it } from 'vitest';
import { bothFusions, crossAttention, softPrompt } from '../src/index.js';

describe.each([
  ['cross-attention', crossAttention, { heads: 2 }, { startsAsIdentity: true, readsOrder: false }],
  [
    'cross-attention in every second layer, latents as they are',
    crossAttention,
    { heads: 2, every: 2, projection: null, feedForward: {} },
    { startsAsIdentity: true, readsOrder: false },
  ],
  ['soft prompt', softPrompt, {}, { startsAsIdentity: false, readsOrder: true }],
  ['both', bothFusions, { crossAttention: { heads: 2 } }, { startsAsIdentity: false, readsOrder: true }],
] as const)('%s conforms', (_, fusion, config, claims) => {
  for (const check of fusionChecks(fusion as never, config, claims)) it(check.name, () => check.run());
});
