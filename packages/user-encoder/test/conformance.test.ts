import { encoderChecks } from '@user-llm/plugin/testing';
import { describe, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';

const small = { width: 8, layers: 1, heads: 2, maximumEvents: 5, deviation: 0.3 };
const predict = { item: 1, genre: 0.5 };

describe.each([
  ['autoregressive', autoregressiveEncoder, { ...small, predict }, true],
  ['autoregressive, rotary positions', autoregressiveEncoder, { ...small, positions: 'rotary', tied: false }, true],
  ['autoregressive, narrow items', autoregressiveEncoder, { ...small, itemWidth: 4 }, true],
  ['dual, Transformer', dualEncoder, small, true],
  ['dual, mean', dualEncoder, { ...small, tower: 'mean', similarity: 'cosine', temperature: 0.1 }, true],
  ['BERT4Rec', bert4rec, small, false],
] as const)('%s conforms', (_, encoder, config, causal) => {
  for (const check of encoderChecks(encoder as never, config, { causal })) it(check.name, () => check.run());
});
