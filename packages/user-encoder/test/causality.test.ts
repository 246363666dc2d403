import { describe, expect, it } from 'vitest';
import { autoregressiveEncoder } from '../src/index.js';
import { asReference, batchInputs, build, genres, items, randomBatch, ratings, reference } from './support.js';

const features = [items, genres, ratings];
const events = 6;
const lengths = [6, 3];
const width = 8;
const small = { width, layers: 2, heads: 2, maximumEvents: events, dropout: 0, deviation: 0.5 };

describe.each(['learned', 'rotary', 'none'] as const)('with %s positions', (positions) => {
  const module = build(autoregressiveEncoder, { ...small, positions }, { features, item: 'item' });
  const batch = batchInputs(features, lengths.length, events);
  const run = reference(module, batch.all, (parameters) => ({
    events: module.apply(parameters, batch as never).events,
    loss: module.loss(parameters, batch as never),
    next: module.nextItem(parameters, batch as never),
  }));
  const feeds = randomBatch(features, lengths, events, 1);
  const before = run(asReference(feeds));
  const row = (data: ArrayLike<number>, from: number, to: number) => Array.from(data).slice(from * width, to * width);

  it.each(['item', 'genre', 'rating'])('a changed %s changes nothing before', (name) => {
    for (let at = 0; at < events; at++) {
      const changed = asReference(feeds);
      const { data, shape } = changed[name]!;
      const slots = shape[2] ?? 1;
      const old = data[at * slots]!;
      data[at * slots] = old === 4 ? 5 : 4;
      const after = run(changed)['events']!.data;
      expect(row(after, 0, at)).toEqual(row(before['events']!.data, 0, at));
      expect(row(after, at, at + 1)).not.toEqual(row(before['events']!.data, at, at + 1));
      expect(row(after, events, 2 * events)).toEqual(row(before['events']!.data, events, 2 * events));
    }
  });

  it('what stands in the padding shows nowhere', () => {
    const changed = asReference(feeds);
    for (const name of ['item', 'genre', 'rating']) {
      const { data, shape } = changed[name]!;
      const slots = shape[2] ?? 1;
      for (let at = (events + lengths[1]!) * slots; at < data.length; at++) data[at] = 4;
    }
    const after = run(changed);
    expect(row(after['events']!.data, 0, events + lengths[1]!)).toEqual(
      row(before['events']!.data, 0, events + lengths[1]!),
    );
    expect(after['next']!.data).toEqual(before['next']!.data);
    expect(after['loss']!.data).toEqual(before['loss']!.data);
  });
});
