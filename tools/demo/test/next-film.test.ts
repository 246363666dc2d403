import { expect, it } from 'vitest';
import { trainNextFilm } from '../src/next-film.js';
import { readHistories } from '../src/ratings.js';

const ratings = new URL('../data/ratings.csv.gz', import.meta.url);

it('reads every rating in the order of time', () => {
  const all = readHistories(ratings, 1);
  expect(all.users).toHaveLength(610);
  expect(all.films).toBe(9724);
  expect(all.users.flat()).toHaveLength(100_836);
  const some = readHistories(ratings, 20);
  expect(some.films).toBe(1297);
  expect(new Set(some.users.flat()).size).toBe(1297);
});

it('learns, and the same seed gives the same bits', async () => {
  const histories = readHistories(ratings, 50);
  const train = (seed: number) => trainNextFilm(histories, { steps: 40, seed });
  const first = await train(1);
  expect(first.losses[0]).toBeGreaterThan(Math.log(histories.films) - 0.5);
  expect(first.losses.at(-1)).toBeLessThan(first.losses[0]! - 0.1);
  expect((await train(1)).losses).toEqual(first.losses);
  expect((await train(2)).losses).not.toEqual(first.losses);
});
