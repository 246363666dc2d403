import { createHash } from 'node:crypto';
import { stableJson } from '@user-llm/plugin';

/** SHA-256 of values as JSON, in hexadecimal digits; the order of keys does not count. */
export function configHash(...values: readonly unknown[]): string {
  return createHash('sha256').update(stableJson(values)).digest('hex');
}
