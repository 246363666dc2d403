import type { Feature, FieldValue, FittedFeature, JsonValue } from '@user-llm/plugin';
import { z } from 'zod';
import { Vocabulary, vocabularyOptions } from '../vocabulary.js';
import { specOptions } from './options.js';
import { readState } from './state.js';

const options = specOptions.extend(vocabularyOptions.shape);
const state = z.object({ vocabulary: z.unknown() });

class FittedId implements FittedFeature {
  readonly slots = 1;
  readonly vocabulary: Vocabulary;

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
  }

  get size(): number {
    return this.vocabulary.size;
  }

  encode(value: FieldValue, out: Int32Array, offset: number): void {
    out[offset] = this.vocabulary.encode(value);
  }

  decode(id: number): string | undefined {
    return this.vocabulary.decode(id);
  }

  toJSON(): JsonValue {
    return { vocabulary: this.vocabulary.toJSON() };
  }
}

/** One value of many, such as the item: its id in a vocabulary. */
export const idFeature: Feature<z.output<typeof options>> = {
  specVersion: 1,
  kind: 'id',
  options,
  fit: (chosen) => {
    const counts = new Map<string, number>();
    return {
      observe: (value) => {
        const text = String(value ?? '');
        if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1);
      },
      finish: () => new FittedId(Vocabulary.fromCounts(counts, chosen)),
    };
  },
  load: (json) => new FittedId(Vocabulary.fromJSON(readState('id', state, json).vocabulary)),
};
