import { createHash } from 'node:crypto';

/**
 * A 32-bit hash of a string that never changes between versions or machines (MurmurHash3's mixing over UTF-16 units).
 *
 * @param seed Different seeds give unrelated hashes of the same string.
 * @returns A whole number from 0 to 2^32 - 1.
 */
export function stringHash(text: string, seed = 0): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at++) {
    let unit = Math.imul(text.charCodeAt(at), 0xcc9e2d51);
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b873593);
    hash ^= unit;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The SHA-256 of a value's JSON, in hexadecimal: equal exactly when the JSON is. Bigints count as their digits. */
export function contentHash(value: unknown): string {
  const json = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return createHash('sha256').update(json).digest('hex');
}
