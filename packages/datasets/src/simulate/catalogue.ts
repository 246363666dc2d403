import type { Item } from '@user-llm/plugin';
import type { Random } from '@user-llm/tensor';
import { genres } from './words.js';

/** Width of tastes and of what items are like. */
export const latents = 8;

/** The items of a simulated world, and what nobody sees of them. */
export interface SimulatedCatalogue {
  readonly items: readonly Item[];
  /** Direction of each genre, of length 1: `[genre, latent]`. */
  readonly genreLatents: Float64Array;
  /** What each item is like: the direction of its genres and something of its own, of length 1: `[item, latent]`. */
  readonly itemLatents: Float64Array;
  /** Main genre of each item. */
  readonly genreOf: Int32Array;
  /** How much better or worse than its kind each item is, in stars. */
  readonly quality: Float64Array;
  /** The next part of each item's series, or -1. */
  readonly sequel: Int32Array;
  /** The items of each genre by main genre, with the sum of their popularities up to each. */
  readonly shelves: readonly Shelf[];
}

/** Items that are drawn by popularity. */
export interface Shelf {
  readonly items: Int32Array;
  readonly cumulative: Float64Array;
}

/** Share of items that are the next part of a series. */
const sequelShare = 0.4;

/** Makes the items of a world: a few genres are common, a few items popular, and titles tell the genre. */
export function makeCatalogue(items: number, random: Random): SimulatedCatalogue {
  const stream = random.split('items').stream();
  const genreLatents = new Float64Array(genres.length * latents);
  for (let genre = 0; genre < genres.length; genre++) {
    unit(genreLatents, genre, () => stream.normal());
  }
  const catalogue = {
    genreLatents,
    itemLatents: new Float64Array(items * latents),
    genreOf: new Int32Array(items),
    quality: new Float64Array(items),
    sequel: new Int32Array(items).fill(-1),
  };
  const { itemLatents, genreOf, quality, sequel } = catalogue;
  const made: Item[] = [];
  const popularity = new Float64Array(items);
  const ranks = random.split('popularity').permutation(items);
  let [series, part] = ['', 1];
  for (let item = 0; item < items; item++) {
    const follows = item > 0 && part < 5 && stream.uniform() < sequelShare;
    if (follows) {
      sequel[item - 1] = item;
      part += 1;
    }
    const genre = follows ? genreOf[item - 1]! : Math.floor(genres.length * stream.uniform() ** 1.7);
    const second = stream.below(3 * genres.length);
    const words = genres[genre]!;
    if (!follows) {
      const pick = (from: readonly string[]) => from[stream.below(from.length)]!;
      series = `The ${pick(words.adjectives)} ${pick(words.nouns)} of ${place(stream.below(places.length ** 2))}`;
      part = 1;
    }
    genreOf[item] = genre;
    unit(itemLatents, item, (latent) => {
      const beside = second < genres.length ? 0.4 * genreLatents[second * latents + latent]! : 0;
      return genreLatents[genre * latents + latent]! + beside + 0.2 * stream.normal();
    });
    quality[item] = 0.4 * stream.normal();
    popularity[item] = (ranks[item]! + 10) ** -0.9;
    const categories = [words.name, ...(second < genres.length && second !== genre ? [genres[second]!.name] : [])];
    made.push({ item: `i${item + 1}`, title: part === 1 ? series : `${series}, Part ${part}`, categories });
  }
  return { ...catalogue, items: made, shelves: makeShelves(genreOf, popularity) };
}

const places = ['North', 'Ash', 'Mill', 'Grey', 'Stone', 'Fern', 'Salt', 'Raven', 'Clear', 'Thorn', 'Oak', 'Ember'];
const placeEndings = [
  'field',
  'brook',
  'haven',
  'ridge',
  'wick',
  'moor',
  'ford',
  'dale',
  'gate',
  'mere',
  'cliff',
  'ton',
];

const place = (number: number) =>
  `${places[number % places.length]!}${placeEndings[Math.floor(number / places.length)]!}`;

/** Fills row `row` of a matrix with numbers in the proportions of `value`, of length 1 together. */
export function unit(matrix: Float64Array, row: number, value: (latent: number) => number): void {
  let squares = 0;
  for (let latent = 0; latent < latents; latent++) {
    const drawn = value(latent);
    matrix[row * latents + latent] = drawn;
    squares += drawn * drawn;
  }
  const scale = 1 / Math.sqrt(squares);
  for (let latent = 0; latent < latents; latent++) matrix[row * latents + latent]! *= scale;
}

function makeShelves(genreOf: Int32Array, popularity: Float64Array): Shelf[] {
  const byGenre: number[][] = genres.map(() => []);
  genreOf.forEach((genre, item) => byGenre[genre]!.push(item));
  return byGenre.map((own) => {
    let sum = 0;
    return { items: Int32Array.from(own), cumulative: Float64Array.from(own, (item) => (sum += popularity[item]!)) };
  });
}
