import type { Feature, FeatureSpec, FieldValue } from '@user-llm/plugin';
import { featureChecks } from '@user-llm/plugin/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketFeature,
  EventTokenizer,
  featureKinds,
  idFeature,
  labelsFeature,
  ordinalFeature,
  textFeature,
} from '../src/index.js';

const day = 86_400;

/** A feature that has learned from values. */
function learn(kind: Feature, spec: object, values: readonly FieldValue[]) {
  const validated = kind.options['~standard'].validate({ kind: kind.kind, ...spec });
  if (validated instanceof Promise || validated.issues !== undefined) throw new Error(JSON.stringify(validated));
  const fitter = kind.fit(validated.value);
  for (const value of values) fitter.observe(value);
  const fitted = fitter.finish();
  const ids = (value: FieldValue) => {
    const out = new Int32Array(fitted.slots);
    fitted.encode(value, out, 0);
    return [...out];
  };
  return { fitted, ids, words: (value: FieldValue) => ids(value).map((id) => fitted.decode(id)) };
}

const samples: readonly [Feature, FeatureSpec, readonly FieldValue[]][] = [
  [idFeature, { kind: 'id' }, ['a', 'b', 'a', 7, true]],
  [idFeature, { kind: 'id', minimumCount: 2, hashBuckets: 5 }, ['a', 'b', 'a', 'c']],
  [labelsFeature, { kind: 'multi-id', slots: 3 }, [['War', 'Drama'], ['War'], 'Noir', ['a', 'b', 'c', 'd']]],
  [labelsFeature, { kind: 'multi-id', slots: 1, maximumSize: 6, hashBuckets: 2 }, [['War', 'Drama'], ['War']]],
  [ordinalFeature, { kind: 'ordinal' }, [3, 1, '4.5', 1]],
  [ordinalFeature, { kind: 'ordinal', values: [1, 2, 3] }, [3]],
  [bucketFeature, { kind: 'bucket' }, [5, 1, 9, '$3.50', 7, 7]],
  [bucketFeature, { kind: 'bucket', from: 'time-gap' }, [60, day]],
  [bucketFeature, { kind: 'bucket', edges: [] }, [1]],
  [textFeature, { kind: 'text', slots: 4, hashBuckets: 8 }, ['The Third Man', 'A man and a dog']],
];

describe.each(samples)('a feature like %o', (kind, spec, values) => {
  for (const check of featureChecks(kind, { spec, values })) it(check.name, () => check.run());
});

describe('id', () => {
  it('takes numbers and truth values as their text, and keeps every digit of 64 bits', () => {
    const { ids } = learn(idFeature, {}, ['9007199254740993', '9007199254740992', 7, true]);
    expect(new Set(['9007199254740993', '9007199254740992', '7', 'true'].map((value) => ids(value)[0])).size).toBe(4);
    expect(ids(7)).toEqual(ids('7'));
    expect(ids(true)).toEqual(ids('true'));
  });
});

describe('multi-id', () => {
  it('keeps the first labels, pads the rest, and takes one label without a list', () => {
    const { fitted, ids, words } = learn(labelsFeature, { slots: 2 }, [['War', 'Noir', 'Drama'], ['War']]);
    expect(words(['War', 'Noir', 'Drama'])).toEqual(['War', 'Noir']);
    expect(ids(['War'])).toEqual([3, 0]);
    expect(ids('War')).toEqual([3, 0]);
    expect(ids(['Western', 'War'])).toEqual([1, 3]);
    expect(ids([])).toEqual([1, 0]);
    expect(fitted.size).toBe(6);
  });
});

describe('ordinal', () => {
  it('gives ids that ascend as the numbers do, learned or told', () => {
    const learned = learn(ordinalFeature, {}, [5, 0.5, '3.0', null, NaN, 'good']);
    expect([0.5, 3, 5].map((value) => learned.ids(value)[0])).toEqual([3, 4, 5]);
    expect([2, null, 'good', NaN].map((value) => learned.ids(value)[0])).toEqual([1, 1, 1, 1]);
    expect(learn(ordinalFeature, { values: [1, 2] }, [9]).fitted.size).toBe(5);
  });

  it('refuses more values than are a scale', () => {
    const many = Array.from({ length: 1001 }, (_, at) => at / 7);
    expect(() => learn(ordinalFeature, {}, many)).toThrow(expect.objectContaining({ code: 'too-many-values' }));
    expect(() => learn(ordinalFeature, { values: [2, 1] }, [])).toThrow(/must ascend/);
  });
});

describe('bucket', () => {
  it('has edges of its own for time gaps and hours', () => {
    const gaps = learn(bucketFeature, { from: 'time-gap' }, []);
    expect([0, 59, 60, day, 10 * 365 * day].map((gap) => gaps.ids(gap)[0])).toEqual([3, 3, 4, 9, 17]);
    expect(gaps.words(day)).toEqual(['from 86400 to below 259200']);
    const hours = learn(bucketFeature, { from: 'hour' }, []);
    expect(Array.from({ length: 24 }, (_, hour) => hours.ids(hour)[0])).toEqual(
      Array.from({ length: 24 }, (_, hour) => 3 + hour),
    );
  });

  it('puts every number between the edges it was told', () => {
    const edges = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 8 });
    fc.assert(
      fc.property(edges, fc.double({ noNaN: true, min: -60, max: 60 }), (unsorted, value) => {
        const sorted = [...unsorted].sort((a, b) => a - b);
        const { ids } = learn(bucketFeature, { edges: sorted }, []);
        expect(ids(value)).toEqual([3 + sorted.filter((edge) => edge <= value).length]);
      }),
    );
  });

  it('learns quantiles of numbers and prices, however many there are', () => {
    const prices = Array.from({ length: 1000 }, (_, at) => `$${(at / 10).toFixed(2)}`);
    const { ids, fitted } = learn(bucketFeature, { quantiles: 4 }, prices);
    expect([0, 24.9, 25, 50, 75, 1e6].map((value) => ids(value)[0])).toEqual([3, 3, 4, 5, 6, 6]);
    expect(fitted.decode(6)).toBe('from 75');
    const many = Array.from({ length: 600_000 }, (_, at) => (at * 7919) % 600_000);
    const tens = learn(bucketFeature, { quantiles: 10 }, many);
    for (let tenth = 0; tenth < 10; tenth++) {
      expect(tens.ids(60_000 * tenth + 3_000)).toEqual([3 + tenth]);
      expect(tens.ids(60_000 * tenth + 57_000)).toEqual([3 + tenth]);
    }
  });

  it('reads prices with signs and thousands, and nothing else', () => {
    const { ids } = learn(bucketFeature, { edges: [1000] }, []);
    expect(['$1,299.00', '€ 1299', '1299'].map((value) => ids(value)[0])).toEqual([4, 4, 4]);
    expect(['from $5', '1,2', '', null, ['7'], true].map((value) => ids(value)[0])).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe('text', () => {
  it('has the first words of any script, without case, marks of punctuation, or forms of one letter', () => {
    const titles = ["Singin' in the Rain", 'Amélie', 'हिन्दी फ़िल्म', 'Ⅷ½'];
    const { words, ids } = learn(textFeature, { slots: 3 }, titles);
    expect(words('SINGIN’ IN the rain')).toEqual(['singin', 'in', 'the']);
    expect(words('Ame\u0301lie!')).toEqual(['amélie', undefined, undefined]);
    expect(ids('Ame\u0301lie!').slice(1)).toEqual([0, 0]);
    expect(words('हिन्दी फ़िल्म').filter((word) => word !== undefined)).toEqual(['हिन्दी', 'फ़िल्म'.normalize('NFKC')]);
    expect(words(['Rain', 'in'])).toEqual(['rain', 'in', undefined]);
  });

  it('keeps words together that an apostrophe joins', () => {
    const { words } = learn(textFeature, { slots: 2 }, ["Ocean's Eleven"]);
    expect(words("ocean's eleven")).toEqual(["ocean's", 'eleven']);
  });

  it('shares the tail by hash, so that a word never seen still has an id of its own kind', () => {
    const { ids, fitted } = learn(textFeature, { slots: 1, minimumCount: 2, hashBuckets: 16 }, ['a a', 'b']);
    expect(fitted.size).toBe(3 + 1 + 16);
    const seen = new Set(Array.from({ length: 200 }, (_, at) => ids(`word${at}`)[0]!));
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(4);
    expect(seen.size).toBeGreaterThan(12);
  });
});

describe('a kind of a plugin', () => {
  /** Counts the letters of a text. */
  const lettersFeature: Feature = {
    specVersion: 1,
    kind: 'letters',
    options: idFeature.options,
    fit: () => ({ observe: () => undefined, finish: () => fitted }),
    load: () => fitted,
  };
  const fitted = {
    size: 13,
    slots: 1,
    encode: (value: FieldValue, out: Int32Array, offset: number) => {
      out[offset] = typeof value === 'string' && value !== '' ? Math.min(12, 2 + value.length) : 1;
    },
    decode: (id: number) => (id > 2 && id < 13 ? `${id - 2} letters` : undefined),
    toJSON: () => ({}),
  };

  it('makes ids beside ours, and is needed again to load them', async () => {
    const kinds = [...featureKinds, lettersFeature];
    const schema = { item: { kind: 'id' }, length: { kind: 'letters', field: 'item' } };
    const events = ['one', 'three'].map((item, time) => ({ user: 'u', item, time }));
    const tokenizer = await EventTokenizer.fit(schema, { events }, kinds);
    expect([...tokenizer.encode(events).timeline(0).columns['length']!]).toEqual([5, 7]);
    const json: unknown = JSON.parse(JSON.stringify(tokenizer));
    expect(EventTokenizer.fromJSON(json, schema, kinds).hash).toBe(tokenizer.hash);
    expect(() => EventTokenizer.fromJSON(json, schema)).toThrow(
      expect.objectContaining({ code: 'unknown-feature-kind' }),
    );
  });
});
