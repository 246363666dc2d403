import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventSchema } from '@user-llm/plugin';
import { defineEventSchema, eventsInMemory, EventTokenizer, Vocabulary } from '../src/index.js';
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

  it('keeps an id of its own for all that is frequent, and no more ids than the largest size', () => {
    const counted = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 9 })));
    const options = fc.record({
      minimumCount: fc.integer({ min: 1, max: 5 }),
      maximumSize: fc.integer({ min: 13, max: 30 }),
      hashBuckets: fc.nat(10),
    });
    fc.assert(
      fc.property(counted, options, (pairs, { minimumCount, maximumSize, hashBuckets }) => {
        const seen = new Map(pairs);
        const vocabulary = Vocabulary.fromCounts(seen, { minimumCount, maximumSize, hashBuckets });
        expect(vocabulary.size).toBeLessThanOrEqual(maximumSize);
        const frequent = [...seen].filter(([, count]) => count >= minimumCount);
        expect(vocabulary.values.length).toBe(Math.min(frequent.length, maximumSize - 3 - hashBuckets));
        for (const value of vocabulary.values) expect(vocabulary.decode(vocabulary.encode(value))).toBe(value);
        const least = Math.min(...vocabulary.values.map((value) => seen.get(value)!));
        for (const [value, count] of frequent) if (count > least) expect(vocabulary.values).toContain(value);
      }),
    );
  });

  it('gives the tail the same hashed ids in every version', () => {
    const vocabulary = Vocabulary.fromCounts(new Map(), { hashBuckets: 1000 });
    expect(['a', 'Toy Story (1995)', '爱', '18446744073709551615'].map((value) => vocabulary.encode(value))).toEqual([
      716, 503, 767, 233,
    ]);
  });

  it.each([{ minimumCount: 0 }, { maximumSize: 3 }, { hashBuckets: -1 }, { maximumSize: 8, hashBuckets: 6 }])(
    'refuses the options %j',
    (options) => {
      expect(() => Vocabulary.fromCounts(counts, options)).toThrow(expect.objectContaining({ code: 'bad-vocabulary' }));
    },
  );

  it('is the same after JSON, and refuses JSON that was changed', () => {
    const vocabulary = Vocabulary.fromCounts(counts);
    const json = JSON.parse(JSON.stringify(vocabulary)) as { values: string[] };
    expect(Vocabulary.fromJSON(json).hash).toBe(vocabulary.hash);
    json.values[0] = 'other';
    expect(() => Vocabulary.fromJSON(json)).toThrow(/hash/);
    expect(() => Vocabulary.fromJSON({})).toThrow(/format/);
    expect(() => Vocabulary.fromJSON({ ...vocabulary.toJSON(), version: 2 })).toThrow(/version/);
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

  it('refuses JSON that was changed, is of another version, or has another schema', async () => {
    const tokenizer = await EventTokenizer.fit(schema, { events: worldOf(5), items });
    const read = (change: (json: Record<string, unknown>) => unknown, of: EventSchema = schema) => {
      const json = JSON.parse(JSON.stringify(tokenizer)) as Record<string, unknown>;
      return () => EventTokenizer.fromJSON(change(json), of);
    };
    const refused = (code: string) => expect.objectContaining({ code }) as Error;
    expect(read((json) => json)).not.toThrow();
    expect(read((json) => ({ ...json, version: 2 }))).toThrow(refused('bad-tokenizer'));
    expect(read((json) => ({ ...json, hash: '00' }))).toThrow(refused('bad-tokenizer'));
    expect(read((json) => ({ ...json, features: {} }))).toThrow(refused('bad-feature-state'));
    expect(read((json) => ({ ...json, items: { ids: ['i0'], columns: {} } }))).toThrow(refused('bad-tokenizer'));
    expect(read(() => 'text')).toThrow(refused('bad-tokenizer'));
    expect(read((json) => json, { item: { kind: 'id' } })).toThrow(refused('bad-tokenizer'));
  });

  it('gives items that the catalogue lacks the ids of an unknown one, and of two rows the last', async () => {
    const catalogue = [...items, { item: 'i0', title: 'Second', categories: ['Noir'] }];
    const tokenizer = await EventTokenizer.fit(schema, { events: worldOf(5), items: catalogue });
    const { columns } = tokenizer.encode(['i0', 'none'].map((item, time) => ({ user: 'u', item, time }))).timeline(0);
    const genre = tokenizer.feature('genre').fitted;
    expect(Array.from(columns['genre']!, (id) => genre.decode(id))).toEqual(['Noir', undefined, undefined, undefined]);
    expect([...columns['genre']!].slice(2)).toEqual([1, 0]);
  });

  it('makes one timeline of events that come in parts', async () => {
    const events = worldOf(20);
    const tokenizer = await EventTokenizer.fit(schema, { events, items });
    const builder = tokenizer.builder();
    for (let start = 0; start < events.length; start += 100) {
      const part = events.slice(start, start + 100);
      for await (const columns of eventsInMemory(part).columns(tokenizer.fields)) builder.add(columns);
    }
    expect(builder.finish().columns).toEqual(tokenizer.encode(events).columns);
  });

  it('refuses schemas without features or with names that are no names, and features it does not have', async () => {
    const refused = (code: string) => expect.objectContaining({ code }) as Error;
    expect(() => defineEventSchema({})).toThrow(refused('bad-event-schema'));
    expect(() => defineEventSchema({ 'the item': { kind: 'id' } })).toThrow(refused('bad-event-schema'));
    const tokenizer = await EventTokenizer.fit({ item: { kind: 'id' } }, { events: [] });
    expect(() => tokenizer.sizeOf('price' as 'item')).toThrow(refused('unknown-feature'));
    const slots = { item: { kind: 'id', slots: 2 } };
    await expect(EventTokenizer.fit(slots, { events: [] })).rejects.toMatchObject({ code: 'bad-feature-options' });
  });
});
