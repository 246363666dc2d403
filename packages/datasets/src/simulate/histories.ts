import type { Event } from '@user-llm/plugin';
import type { Random, RandomStream } from '@user-llm/tensor';
import { latents, unit, type Shelf, type SimulatedCatalogue } from './catalogue.js';
import { mostEvents, type SimulationOptions } from './options.js';
import { genres, verdicts } from './words.js';

const start = Date.UTC(2018, 0, 1);
const minute = 60_000;
const day = 24 * 60 * minute;
/** Days in which all events lie. */
const span = 5 * 365;

/** Chance that the next event is the next part of the series, that a sitting stays with its genre, and that it ends. */
const chances = { sequel: 0.3, sameGenre: 0.7, sittingEnds: 0.2 } as const;
/** How clearly a genre that fits the interest is preferred, and an item among those that come to mind. */
const sharpness = { genre: 5, item: 4 } as const;
const comeToMind = 6;

const share = (stream: RandomStream) => stream.bits() / 2 ** 32;

/** How many events each user has: log-normally spread, `events` together, none with more than may be. */
export function historyLengths({ users, items, events }: Required<SimulationOptions>, random: Random): Int32Array {
  const most = mostEvents(items);
  const weights = random.normal(new Float64Array(users)).map((normal) => Math.exp(0.9 * normal));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [sum, given] = [0, 0];
  const lengths = Int32Array.from(weights, (weight) => {
    sum += weight;
    const until = Math.round(((events - users) * sum) / total);
    const length = 1 + until - given;
    given = until;
    return Math.min(length, most);
  });
  let missing = events - lengths.reduce((all, length) => all + length, 0);
  // What was cut from the longest histories goes to the others in turn.
  for (let user = 0; missing > 0; user = (user + 1) % users) {
    const more = Math.min(missing, most - lengths[user]!, Math.ceil(missing / users));
    lengths[user]! += more;
    missing -= more;
  }
  return lengths;
}

/** Lives the lives of users, one after the other. */
export class HistorySimulator {
  readonly #catalogue: SimulatedCatalogue;
  /** User + 1 who has met each item last. */
  readonly #seenBy: Int32Array;
  /** Interest at the start of a history, at its end, and now: `[3, latent]`. */
  readonly #interest = new Float64Array(3 * latents);
  readonly #preferences = new Float64Array(genres.length);

  constructor(catalogue: SimulatedCatalogue) {
    this.#catalogue = catalogue;
    this.#seenBy = new Int32Array(catalogue.items.length);
  }

  /** The events of one user in the order of time. */
  *history(user: number, length: number, stream: RandomStream): Generator<Event> {
    this.#drawTastes(stream);
    const name = `u${user + 1}`;
    const sittings = Math.max(1, length * chances.sittingEnds);
    const daysBetween = Math.min(6, span / 3 / sittings);
    let time = start + Math.floor(share(stream) * 0.3 * span * day);
    let genre = this.#drawGenre(stream);
    let last = -1;
    for (let at = 0; at < length; at++) {
      this.#drift(length > 1 ? at / (length - 1) : 0);
      const sittingEnds = share(stream) < chances.sittingEnds;
      if (sittingEnds || share(stream) > chances.sameGenre) genre = this.#drawGenre(stream);
      const item = this.#nextItem(user, last, genre, stream);
      this.#seenBy[item] = user + 1;
      time += 1000 * Math.ceil(((sittingEnds ? daysBetween * day : 5 * minute) * waiting(stream)) / 1000);
      yield this.#event(name, item, time, stream);
      last = item;
    }
  }

  /** A taste is some of two genres and something of one's own; it drifts to another that shares one of the genres. */
  #drawTastes(stream: RandomStream): void {
    const { genreLatents } = this.#catalogue;
    const favourites = [stream.below(genres.length), stream.below(genres.length), stream.below(genres.length)] as const;
    for (const [row, [first, second]] of [favourites, favourites.slice(1)].entries()) {
      unit(this.#interest, row, (latent) => {
        const liked = genreLatents[first! * latents + latent]! + 0.6 * genreLatents[second! * latents + latent]!;
        return liked + 0.25 * stream.normal();
      });
    }
    this.#drift(0);
  }

  /** Sets the interest of now; `lived` is the share of the history that has passed. */
  #drift(lived: number): void {
    const interest = this.#interest;
    unit(interest, 2, (latent) => (1 - lived) * interest[latent]! + lived * interest[latents + latent]!);
  }

  #drawGenre(stream: RandomStream): number {
    const preferences = this.#preferences;
    let sum = 0;
    for (let genre = 0; genre < preferences.length; genre++) {
      const empty = this.#catalogue.shelves[genre]!.items.length === 0;
      const fit = this.#likeness(this.#catalogue.genreLatents, genre);
      preferences[genre] = sum += empty ? 0 : Math.exp(sharpness.genre * fit);
    }
    return firstAbove(preferences, share(stream) * sum);
  }

  #nextItem(user: number, last: number, genre: number, stream: RandomStream): number {
    const { sequel, shelves, itemLatents } = this.#catalogue;
    const unseen = (item: number) => this.#seenBy[item] !== user + 1;
    const next = last < 0 ? -1 : sequel[last]!;
    if (next >= 0 && unseen(next) && share(stream) < chances.sequel) return next;
    let [best, bestScore] = [-1, -Infinity];
    for (let candidate = 0; candidate < comeToMind; candidate++) {
      const item = drawFrom(shelves[genre]!, stream);
      // The greatest of scores with Gumbel noise is a draw from their softmax.
      const score = sharpness.item * this.#likeness(itemLatents, item) - Math.log(waiting(stream));
      if (unseen(item) && score > bestScore) [best, bestScore] = [item, score];
    }
    if (best >= 0) return best;
    const items = sequel.length;
    let item = Math.floor(share(stream) * items);
    while (!unseen(item)) item = (item + 1) % items;
    return item;
  }

  #event(user: string, item: number, time: number, stream: RandomStream): Event {
    const { items, genreOf, itemLatents, quality } = this.#catalogue;
    const liking = 3.1 + 1.3 * this.#likeness(itemLatents, item) + quality[item]! + 0.5 * stream.normal();
    const rating = Math.min(5, Math.max(1, Math.round(liking)));
    const verdict = verdicts[rating - 1]!;
    const pick = (from: readonly string[]) => from[Math.floor(share(stream) * from.length)]!;
    const { title, item: id } = items[item]!;
    return {
      user,
      item: id,
      time,
      rating,
      text: `${pick(verdict.text)} ${pick(genres[genreOf[item]!]!.aspects)} in ${title!}.`,
      summary: pick(verdict.summary),
    };
  }

  /** Product of the interest of now with a row of a matrix: -1 to 1. */
  #likeness(matrix: Float64Array, row: number): number {
    let product = 0;
    for (let latent = 0; latent < latents; latent++) {
      product += this.#interest[2 * latents + latent]! * matrix[row * latents + latent]!;
    }
    return product;
  }
}

/** An exponential waiting time of mean 1. */
const waiting = (stream: RandomStream) => -Math.log((stream.bits() + 0.5) / 2 ** 32);

function drawFrom({ items, cumulative }: Shelf, stream: RandomStream): number {
  return items[firstAbove(cumulative, share(stream) * cumulative.at(-1)!)]!;
}

/** The first place of growing numbers whose number is above `value`. */
function firstAbove(growing: Float64Array, value: number): number {
  let [low, high] = [0, growing.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (growing[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
