import type { FieldValue, JsonValue } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { contentHash, stringHash } from './hash.js';
import { firstValueId, reservedIds } from './reserved-ids.js';

/** Which values get an id of their own. */
export const vocabularyOptions = z.object({
  /** Values seen fewer times than this get none. */
  minimumCount: z.int().min(1).default(1),
  /** Most ids in all, reserved and hashed ones included: the rarest values get none. */
  maximumSize: z
    .int()
    .min(firstValueId + 1)
    .optional(),
  /** Ids that the values without one of their own share by hash; with 0 they are all the unknown id. */
  hashBuckets: z.int().min(0).default(0),
});

/** Which values get an id of their own; every field has a default. */
export type VocabularyOptions = z.input<typeof vocabularyOptions>;

const vocabularyFile = z.object({
  format: z.literal('user-llm-vocabulary'),
  version: z.literal(1),
  hash: z.string(),
  hashBuckets: z.int().min(0),
  values: z.array(z.string()),
  counts: z.array(z.int().min(0)),
});

/**
 * Values and their ids: 0 padding, 1 unknown, 2 mask, then the values by falling count (equal counts by code unit), then
 * the hash buckets of the tail. It never changes once made, and it never throws on a value.
 */
export class Vocabulary {
  /** The values with an id of their own; value `i` has the id `3 + i`. */
  readonly values: readonly string[];
  /** How often each value was seen. */
  readonly counts: readonly number[];
  /** Number of ids that the tail shares. */
  readonly hashBuckets: number;
  /** SHA-256 of the content: equal for equal vocabularies. */
  readonly hash: string;
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(values: readonly string[], counts: readonly number[], hashBuckets: number) {
    this.values = values;
    this.counts = counts;
    this.hashBuckets = hashBuckets;
    this.hash = contentHash([hashBuckets, values, counts]);
    this.#ids = new Map(values.map((value, index) => [value, firstValueId + index]));
  }

  /**
   * Chooses the values that get an id.
   *
   * @param counts How often each value was seen.
   * @throws UserLlmError `bad-vocabulary` when an option is wrong, or the hash buckets do not fit into `maximumSize`.
   */
  static fromCounts(counts: ReadonlyMap<string, number>, options: VocabularyOptions = {}): Vocabulary {
    const parsed = vocabularyOptions.safeParse(options);
    if (!parsed.success) {
      throw new UserLlmError('bad-vocabulary', {
        what: 'vocabulary options',
        expected: 'minimumCount from 1, maximumSize from 4, hashBuckets from 0, in whole numbers',
        got: z.prettifyError(parsed.error),
        cause: parsed.error,
      });
    }
    const { minimumCount, maximumSize, hashBuckets } = parsed.data;
    const room = (maximumSize ?? Infinity) - firstValueId - hashBuckets;
    if (room < 0) {
      throw new UserLlmError('bad-vocabulary', {
        what: 'vocabulary options',
        expected: `a maximumSize of at least ${firstValueId} reserved ids and ${hashBuckets} hash buckets`,
        got: `${maximumSize}`,
        mend: 'Raise maximumSize or lower hashBuckets.',
      });
    }
    const kept = [...counts]
      .filter(([, count]) => count >= minimumCount)
      .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
      .slice(0, room);
    return new Vocabulary(
      kept.map(([value]) => value),
      kept.map(([, count]) => count),
      hashBuckets,
    );
  }

  /**
   * Reads what `toJSON` gave.
   *
   * @throws UserLlmError `bad-vocabulary` when it is not a vocabulary of a version known here, or its hash differs.
   */
  static fromJSON(json: unknown): Vocabulary {
    const parsed = vocabularyFile.safeParse(json);
    if (!parsed.success) {
      throw new UserLlmError('bad-vocabulary', {
        what: 'vocabulary',
        expected: 'JSON with format "user-llm-vocabulary", version 1, values and counts',
        got: z.prettifyError(parsed.error),
        cause: parsed.error,
      });
    }
    const { values, counts, hashBuckets, hash } = parsed.data;
    const vocabulary = new Vocabulary(values, counts, hashBuckets);
    if (vocabulary.hash !== hash || counts.length !== values.length || vocabulary.#ids.size !== values.length) {
      throw new UserLlmError('bad-vocabulary', {
        what: 'vocabulary',
        expected: `distinct values, a count for each, and the hash ${hash}`,
        got: `${vocabulary.#ids.size} distinct of ${values.length} values, ${counts.length} counts, hash ${vocabulary.hash}`,
        mend: 'The file was changed or cut after it was written: take it from the model directory again.',
      });
    }
    return vocabulary;
  }

  /** Number of ids: rows of an embedding table. */
  get size(): number {
    return firstValueId + this.values.length + this.hashBuckets;
  }

  /** The id of a value; missing values and, without hash buckets, unknown ones are `reservedIds.unknown`. */
  encode(value: FieldValue): number {
    const text = typeof value === 'string' ? value : String(value ?? '');
    if (text === '') return reservedIds.unknown;
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    if (this.hashBuckets === 0) return reservedIds.unknown;
    return firstValueId + this.values.length + (stringHash(text) % this.hashBuckets);
  }

  /** The value of an id; nothing for reserved ids, hash buckets and ids out of range. */
  decode(id: number): string | undefined {
    return this.values[id - firstValueId];
  }

  /** The vocabulary as versioned, hashed JSON. */
  toJSON(): { readonly [key: string]: JsonValue } {
    const { hash, hashBuckets, values, counts } = this;
    return { format: 'user-llm-vocabulary', version: 1, hash, hashBuckets, values, counts };
  }
}
