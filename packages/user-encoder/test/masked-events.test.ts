import { constant, evaluate, graph, type FloatScalar } from '@user-llm/graph';
import { randomStreams } from '@user-llm/layers';
import { scalar, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { bert4rec } from '../src/index.js';
import { hideEvents, withMaskBehind } from '../src/masked-events.js';
import { asReference, batchInputs, build, genres, items, randomBatch, reference } from './support.js';

const features = [items, genres];
const lengths = [8, 3, 5, 0];
const [batch, events] = [lengths.length, 8];
const positions = events + 1;
const feeds = randomBatch(features, lengths, events, 6);
const ids = (tensor: Tensor): number[] => tensor.toArray() as number[];

function hidden(seed: number, probability: number, lastShare: number) {
  const inputs = batchInputs(features, batch, events);
  const made = hideEvents(inputs, {
    item: 'item',
    probability,
    lastShare,
    seed: constant(scalar('int32', seed)),
    streams: randomStreams('test'),
  });
  const outputs = {
    item: made.features['item']!,
    genre: made.features['genre']!,
    label: made.labels['item']!,
    mask: made.mask,
    hidden: made.hidden,
  };
  const got = evaluate(graph(inputs.all, outputs), asReference(feeds));
  return Object.fromEntries(Object.entries(got).map(([name, { data }]) => [name, Array.from(data)])) as Record<
    keyof typeof outputs,
    number[]
  >;
}

/** Each history with the event that came after, row by row, padded to one more position. */
const sequences = lengths.map((length, row) => {
  const own = ids(feeds['item']!).slice(row * events, row * events + length);
  const after = length > 0 ? [ids(feeds['label/item']!)[row * events + length - 1]!] : [];
  return [...own, ...after, ...Array<number>(positions - length - after.length).fill(0)];
});

describe('hiding events', () => {
  it('hides what was there and says what it was', () => {
    const made = hidden(4, 0.5, 0);
    sequences.flat().forEach((id, at) => {
      expect(made.mask[at]).toBe(id > 0 ? 1 : 0);
      expect(made.item[at]).toBe(made.hidden[at] ? 2 : id);
      expect(made.label[at]).toBe(made.hidden[at] ? id : 0);
      if (made.hidden[at]) {
        expect(id).toBeGreaterThan(0);
        expect(made.genre.slice(at * 3, at * 3 + 3)).toEqual([2, 0, 0]);
      }
    });
  });

  it('depends on the seed alone', () => {
    expect(hidden(4, 0.5, 0.2)).toEqual(hidden(4, 0.5, 0.2));
    expect(hidden(5, 0.5, 0.2)).not.toEqual(hidden(4, 0.5, 0.2));
  });

  it('hides about as many as told', () => {
    const counts = Array.from({ length: 100 }, (_, seed) => hidden(seed, 0.3, 0).hidden.reduce((x, y) => x + y));
    const there = sequences.flat().filter((id) => id > 0).length;
    const mean = counts.reduce((x, y) => x + y) / counts.length;
    expect(Math.abs(mean - 0.3 * there)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7 * there) / counts.length));
  });

  it('hides the last alone where told', () => {
    const made = hidden(4, 0.5, 1);
    lengths.forEach((length, row) => {
      const own = made.hidden.slice(row * positions, (row + 1) * positions);
      expect(own).toEqual(Array.from({ length: positions }, (_, at) => (length > 0 && at === length ? 1 : 0)));
    });
  });

  it('puts a hidden event behind the last', () => {
    const inputs = batchInputs(features, batch, events);
    const asked = withMaskBehind(inputs);
    const got = evaluate(graph(inputs.all, { item: asked.features['item']!, mask: asked.mask }), asReference(feeds));
    lengths.forEach((length, row) => {
      const own = ids(feeds['item']!).slice(row * events, row * events + length);
      const rest = Array<number>(positions - length - 1).fill(0);
      const at = [row * positions, (row + 1) * positions] as const;
      expect(Array.from(got['item']!.data.slice(...at))).toEqual([...own, 2, ...rest]);
      expect(Array.from(got['mask']!.data.slice(...at))).toEqual([...own.map(() => 1), 1, ...rest]);
    });
  });
});

describe('BERT4Rec', () => {
  const module = build(
    bert4rec,
    { width: 8, layers: 2, heads: 2, dropout: 0, maximumEvents: events, deviation: 0.5, maskProbability: 0.3 },
    { features, item: 'item' },
  );
  const inputs = batchInputs(features, batch, events);
  const run = reference(module, inputs.all, (parameters) => ({
    events: module.apply(parameters, inputs as never).events,
    loss: module.loss(parameters, inputs as never) as FloatScalar,
    next: module.nextItem(parameters, inputs as never),
  }));

  it('lets nothing in the padding show', () => {
    const before = run(asReference(feeds));
    const changed = asReference(feeds);
    for (const name of ['item', 'genre']) {
      const { data, shape } = changed[name]!;
      const slots = shape[2] ?? 1;
      lengths.forEach((length, row) => data.fill(5, (row * events + length) * slots, (row + 1) * events * slots));
    }
    const after = run(changed);
    expect(after['loss']!.data).toEqual(before['loss']!.data);
    expect(after['next']!.data).toEqual(before['next']!.data);
    lengths.forEach((length, row) => {
      const own = [row * events * 8, (row * events + length) * 8] as const;
      expect(after['events']!.data.slice(...own)).toEqual(before['events']!.data.slice(...own));
    });
  });

  it('changes all embeddings of a history with one of its events', () => {
    const changed = asReference(feeds);
    changed['item']!.data[2] = changed['item']!.data[2] === 4 ? 5 : 4;
    const [before, after] = [run(asReference(feeds)), run(changed)].map(({ events: made }) => made!.data);
    expect(after!.slice(0, 8)).not.toEqual(before!.slice(0, 8));
  });

  it('scores items for a user with no events', () => {
    expect(Array.from(run(asReference(feeds))['next']!.data).every(Number.isFinite)).toBe(true);
  });
});
