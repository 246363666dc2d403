import type { Feature, FieldValue, FittedFeature, JsonValue } from '@user-llm/plugin';
import { z } from 'zod';
import { reservedIds } from '../reserved-ids.js';
import { Vocabulary, vocabularyOptions } from '../vocabulary.js';
import { specOptions } from './options.js';
import { readState } from './state.js';

const slots = z.int().min(1);
const options = specOptions.extend({ ...vocabularyOptions.shape, slots });
const state = z.object({ slots, vocabulary: z.unknown() });

/** Splits a value into the ones it holds. */
type Split = (value: FieldValue) => readonly string[];

class FittedMultiId implements FittedFeature {
  readonly slots: number;
  readonly vocabulary: Vocabulary;
  readonly #split: Split;

  constructor(vocabulary: Vocabulary, count: number, split: Split) {
    this.vocabulary = vocabulary;
    this.slots = count;
    this.#split = split;
  }

  get size(): number {
    return this.vocabulary.size;
  }

  encode(value: FieldValue, out: Int32Array, offset: number): void {
    const end = offset + this.slots;
    let at = offset;
    for (const part of this.#split(value)) {
      if (at === end) return;
      out[at++] = this.vocabulary.encode(part);
    }
    if (at === offset) out[at++] = reservedIds.unknown;
    out.fill(reservedIds.padding, at, end);
  }

  decode(id: number): string | undefined {
    return this.vocabulary.decode(id);
  }

  toJSON(): JsonValue {
    return { slots: this.slots, vocabulary: this.vocabulary.toJSON() };
  }
}

/** A kind of feature with several ids per event, told apart only by how a value is split into parts. */
export function multiIdFeature(kind: string, split: Split): Feature<z.output<typeof options>> {
  return {
    specVersion: 1,
    kind,
    options,
    fit: (chosen) => {
      const counts = new Map<string, number>();
      return {
        observe: (value) => {
          for (const part of split(value)) if (part !== '') counts.set(part, (counts.get(part) ?? 0) + 1);
        },
        finish: () => new FittedMultiId(Vocabulary.fromCounts(counts, chosen), chosen.slots, split),
      };
    },
    load: (json) => {
      const read = readState(kind, state, json);
      return new FittedMultiId(Vocabulary.fromJSON(read.vocabulary), read.slots, split);
    },
  };
}

/** Several labels of one event, such as genres: the first `slots` of them; one that stands alone may be a plain string. */
export const labelsFeature = multiIdFeature('multi-id', (value) => {
  if (value === null || value === undefined || value === '') return [];
  return typeof value === 'object' ? value : [String(value)];
});

const word = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;

/** Running text, such as a title: its first `slots` words, in lower case and compatibility form; scripts without
 * spaces have one word per phrase. */
export const textFeature = multiIdFeature('text', (value) => {
  if (value === null || value === undefined) return [];
  const text = typeof value === 'object' ? value.join(' ') : String(value);
  return text.normalize('NFKC').toLowerCase().match(word) ?? [];
});
