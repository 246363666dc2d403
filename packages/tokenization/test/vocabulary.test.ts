import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTokenizer, Vocabulary } from '../src/index.js';
import { items, schema, worldOf } from './support/small-world.js';

describe('vocabulary', () => {
  const counts = new Map([
    ['b', 2],
    ['a', 2],
    ['z', 9],
    ['once', 1],
  ] as const);

  it('gives ids by falling count, after padding, unknown and mask', () => {
    const vocabulary = Vocabulary.fromCounts(counts, { minimumCount: 2 });
    expect(vocabulary.values).toEqual(['z', 'a', 'b']);
    expect(['z', 'a', 'b', 'once', '', null, undefined, 7].map((value) => vocabulary.encode(value))).toEqual([
      3, 4, 5, 1, 1, 1, 1, 1,
    ]);
    expect(vocabulary.size).toBe(6);
    expect(Vocabulary.fromCounts(counts, { maximumSize: 5 }).values).toEqual(['z', 'a']);
  });

  it('never fails on a value, and hashes the tail into its buckets', () => {
    const vocabulary = Vocabulary.fromCounts(counts, { hashBuckets: 4 });
    fc.assert(
      fc.property(fc.string(), (value) => {
        const id = vocabulary.encode(value);
        expect(id >= 1 && id < vocabulary.size).toBe(true);
        if (value !== '' && !counts.has(value as 'a')) expect(id).toBeGreaterThanOrEqual(7);
      }),
    );
  });

  it('is the same after JSON, and refuses JSON that was changed', () => {
    const vocabulary = Vocabulary.fromCounts(counts);
    const json = JSON.parse(JSON.stringify(vocabulary)) as { values: string[] };
    expect(Vocabulary.fromJSON(json).hash).toBe(vocabulary.hash);
    json.values[0] = 'other';
    expect(() => Vocabulary.fromJSON(json)).toThrow(/hash/);
    expect(() => Vocabulary.fromJSON({})).toThrow(/format/);
  });
});

describe('event tokenizer', () => {
  it('gives the same ids after JSON, also for values it never saw', async () => {
    const tokenizer = await EventTokenizer.fit(schema, { events: worldOf(20), items });
    const loaded = EventTokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)), schema);
    const strange = [
      ...worldOf(5, 9),
      { user: '18446744073709551615', item: 'never seen', time: -1, rating: null },
      { user: '18446744073709551614', item: '', time: 0, rating: 99 },
    ];
    expect(loaded.hash).toBe(tokenizer.hash);
    const before = tokenizer.encode(strange);
    const after = loaded.encode(strange);
    for (let user = 0; user < before.users; user++) expect(after.timeline(user)).toEqual(before.timeline(user));
    expect(before.timeline(5)).toMatchObject({ user: '18446744073709551615', length: 1 });
    expect(before.timeline(5).columns['item']).toEqual(Int32Array.of(1));
  });

  it('sorts by time and keeps the order of equal times', async () => {
    const events = ['a', 'b', 'c', 'd'].map((item, at) => ({ user: 'u', item, time: at === 3 ? 0 : 5 }));
    const tokenizer = await EventTokenizer.fit({ item: { kind: 'id' } }, { events });
    const ids = tokenizer.encode(events).timeline(0).columns['item']!;
    expect(Array.from(ids, (id) => tokenizer.feature('item').fitted.decode(id))).toEqual(['d', 'a', 'b', 'c']);
  });

  it('says which feature is wrong', async () => {
    const bad = { item: { kind: 'id', minimumCout: 2 } };
    await expect(EventTokenizer.fit(bad, { events: [] })).rejects.toThrow(/feature item.*minimumCout/s);
    await expect(EventTokenizer.fit({ x: { kind: 'none' } }, { events: [] })).rejects.toThrow(
      /unknown|one of the kinds/,
    );
    const tokenizer = await EventTokenizer.fit({ item: { kind: 'id' } }, { events: [] });
    expect(() => tokenizer.encode([{ user: 'u', item: 'a', time: NaN }])).toThrow(/a time in milliseconds/);
  });
});
