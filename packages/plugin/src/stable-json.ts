import type { JsonValue } from './feature.js';

/**
 * A value as JSON whose objects have their keys in order, so that equal values have equal texts: what hashes are made of.
 * Keys of nothing (`undefined`) are left out.
 */
export function stableJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return (value ?? null) as JsonValue;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, inOrder(entry)]));
}
