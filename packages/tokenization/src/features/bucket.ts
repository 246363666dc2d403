import type { Feature, FieldValue, FittedFeature, JsonValue } from '@user-llm/plugin';
import { z } from 'zod';
import { numericValue } from '../numeric-value.js';
import { firstValueId, reservedIds } from '../reserved-ids.js';
import { specOptions } from './options.js';
import { QuantileSample } from './quantile-sample.js';
import { countAtMost } from './sorted.js';
import { readState } from './state.js';

const minute = 60;
const day = 24 * 60 * minute;

/** Edges of time gaps, in seconds: a minute to three years, each a few times the one before. */
const timeGapEdges = [
  ...[1, 5, 30, 2 * 60, 8 * 60].map((minutes) => minutes * minute),
  ...[1, 3, 7, 14, 30, 90, 180, 365, 3 * 365].map((days) => days * day),
];

/** One bucket per hour of the day. */
const hourEdges = Array.from({ length: 23 }, (_, hour) => hour + 1);

const ascending = z
  .array(z.number())
  .refine((edges) => edges.every((edge, index) => index === 0 || edge > edges[index - 1]!), 'must ascend');

const options = specOptions.extend({
  /** Edges between buckets, ascending: a value on an edge is in the upper bucket. */
  edges: ascending.optional(),
  /** Without edges: number of buckets that hold equally many of the training values. */
  quantiles: z.int().min(2).optional(),
});

const state = z.object({ edges: ascending });

class FittedBucket implements FittedFeature {
  readonly slots = 1;
  readonly edges: readonly number[];

  constructor(edges: readonly number[]) {
    this.edges = edges;
  }

  get size(): number {
    return firstValueId + this.edges.length + 1;
  }

  encode(value: FieldValue, out: Int32Array, offset: number): void {
    const number = numericValue(value);
    out[offset] = Number.isNaN(number) ? reservedIds.unknown : firstValueId + countAtMost(this.edges, number);
  }

  decode(id: number): string | undefined {
    const bucket = id - firstValueId;
    if (!Number.isInteger(bucket) || bucket < 0 || bucket > this.edges.length) return undefined;
    if (this.edges.length === 0) return 'any';
    if (bucket === 0) return `below ${this.edges[0]}`;
    if (bucket === this.edges.length) return `from ${this.edges[bucket - 1]}`;
    return `from ${this.edges[bucket - 1]} to below ${this.edges[bucket]}`;
  }

  toJSON(): JsonValue {
    return { edges: this.edges };
  }
}

/**
 * A number by the range it falls in: a time gap, an hour, a price. Without `edges` or `quantiles`, time gaps have edges
 * from a minute to three years, hours one bucket each, and other numbers ten quantiles.
 */
export const bucketFeature: Feature<z.output<typeof options>> = {
  specVersion: 1,
  kind: 'bucket',
  options,
  fit: ({ from, edges, quantiles }) => {
    const usual = from === 'time-gap' ? timeGapEdges : from === 'hour' ? hourEdges : undefined;
    const given = edges ?? (quantiles === undefined ? usual : undefined);
    const sample = new QuantileSample();
    return {
      observe: (value) => {
        if (given !== undefined) return;
        const number = numericValue(value);
        if (!Number.isNaN(number)) sample.add(number);
      },
      finish: () => new FittedBucket(given ?? sample.edges(quantiles ?? 10)),
    };
  },
  load: (json) => new FittedBucket(readState('bucket', state, json).edges),
};
