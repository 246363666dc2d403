import type { Event, Item } from '@user-llm/plugin';
import { Random } from '@user-llm/tensor';
import { defineEventSchema } from '../../src/index.js';

const day = 86_400_000;

/** Items with one to three of five genres, and a price. */
export const items: readonly Item[] = Array.from({ length: 40 }, (_, index) => ({
  item: `i${index}`,
  title: `Film Number ${index}`,
  categories: ['Drama', 'Comedy', 'War', 'Noir', 'Musical'].slice(index % 5, (index % 5) + 1 + (index % 3)),
  price: `$${(index * 3.5).toFixed(2)}`,
}));

/** Users with 1 to 60 events at rising times; user `u0` has one event. */
export function worldOf(users: number, seed = 1): Event[] {
  const random = Random.fromSeed(seed);
  return Array.from({ length: users }, (_, user) => {
    const ofUser = random.at(user);
    const length = user === 0 ? 1 : 1 + ofUser.split('length').integers(1, 60)[0]!;
    const chosen = ofUser.split('items').integers(length, items.length);
    const ratings = ofUser.split('ratings').integers(length, 5);
    return Array.from({ length }, (_, at) => ({
      user: `u${user}`,
      item: `i${chosen[at]}`,
      time: (user + at * (1 + (at % 3))) * day + at * 3_600_000,
      rating: 1 + ratings[at]!,
    }));
  }).flat();
}

/** One feature of each kind. */
export const schema = defineEventSchema({
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 2 },
  rating: { kind: 'ordinal', values: [1, 2, 3, 4, 5] },
  gap: { kind: 'bucket', from: 'time-gap' },
  hour: { kind: 'bucket', from: 'hour' },
  price: { kind: 'bucket', from: 'item', quantiles: 4 },
  title: { kind: 'text', from: 'item', slots: 3 },
});
