import { createHash } from 'node:crypto';
import { stableJson, type EncoderInputs } from '@user-llm/plugin';
import type { UserLlmModel } from '../compose/compose.js';
import type { Weights } from './weights.js';

/**
 * SHA-256 of all that decides what the encoder makes of a history: its config, its weights, the vocabularies, and the
 * events it reads; the order of a config's keys does not count. States of users are of no use to an encoder of another
 * hash.
 *
 * @param vocabularies Hash of the event tokenizer.
 */
export function encoderHashOf(
  { config, maximumEvents, features }: Pick<UserLlmModel, 'config' | 'maximumEvents' | 'features'>,
  weights: Weights,
  vocabularies: string,
  vectors: EncoderInputs['vectors'] = {},
): string {
  const hash = createHash('sha256');
  const { encoder, item } = config;
  hash.update(stableJson(['user-llm-encoder', 2, vocabularies, encoder, item, maximumEvents, features]));
  const tensors = [
    ...Object.entries(weights).filter(([name]) => name.startsWith('encoder.')),
    ...Object.entries(vectors).map(([name, tensor]) => [`vectors.${name}`, tensor] as const),
  ];
  for (const [name, tensor] of tensors.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { shape, data } = tensor.contiguous();
    hash.update(JSON.stringify([name, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
