import { createHash } from 'node:crypto';
import type { JsonValue } from '@user-llm/plugin';

/** JSON with the keys of objects in order, so that equal values have equal texts. */
function stable(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(stable);
  if (typeof value !== 'object' || value === null) return (value ?? null) as JsonValue;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, stable(entry)]));
}

/** SHA-256 of values as JSON, in hexadecimal digits; the order of keys does not count. */
export function configHash(...values: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(stable(values)))
    .digest('hex');
}
