import type { Feature, FieldValue, FittedFeature, JsonValue } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { numericValue } from '../numeric-value.js';
import { firstValueId, reservedIds } from '../reserved-ids.js';
import { specOptions } from './options.js';
import { countAtMost } from './sorted.js';
import { readState } from './state.js';

const mostValues = 1000;

const ascending = z
  .array(z.number())
  .refine((values) => values.every((value, index) => index === 0 || value > values[index - 1]!), 'must ascend');

const options = specOptions.extend({
  /** The values, ascending; learned from the data when absent. */
  values: ascending.min(1).optional(),
});

const state = z.object({ values: ascending });

class FittedOrdinal implements FittedFeature {
  readonly slots = 1;
  readonly values: readonly number[];

  constructor(values: readonly number[]) {
    this.values = values;
  }

  get size(): number {
    return firstValueId + this.values.length;
  }

  encode(value: FieldValue, out: Int32Array, offset: number): void {
    const number = numericValue(value);
    const index = countAtMost(this.values, number) - 1;
    out[offset] = this.values[index] === number ? firstValueId + index : reservedIds.unknown;
  }

  decode(id: number): string | undefined {
    return this.values[id - firstValueId]?.toString();
  }

  toJSON(): JsonValue {
    return { values: this.values };
  }
}

/** One of a few numbers in order, such as a rating of 0.5 to 5: ids ascend as the numbers do. */
export const ordinalFeature: Feature<z.output<typeof options>> = {
  specVersion: 1,
  kind: 'ordinal',
  options,
  fit: ({ values }) => {
    const seen = new Set<number>();
    return {
      observe: (value) => {
        if (values !== undefined) return;
        const number = numericValue(value);
        if (!Number.isNaN(number)) seen.add(number);
        if (seen.size > mostValues) {
          throw new UserLlmError('too-many-values', {
            what: 'ordinal feature',
            expected: `at most ${mostValues} different numbers`,
            got: 'more',
            mend: 'Use a feature of kind bucket, or give the values.',
          });
        }
      },
      finish: () => new FittedOrdinal(values ?? [...seen].sort((a, b) => a - b)),
    };
  },
  load: (json) => new FittedOrdinal(readState('ordinal', state, json).values),
};
