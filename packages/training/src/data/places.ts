import type { Random } from '@user-llm/tensor';
import { targetRange, type Part } from '@user-llm/tokenization';
import type { TokenizedData } from './training-data.js';

/** A place in a user's history to ask at. */
export interface Place {
  /** Which user, as the timelines number them. */
  readonly user: number;
  /** The event asked about; those before it may be known. */
  readonly position: number;
}

/** How places are drawn: every event as often as another, or every user. */
export type Sampling = 'events' | 'users';

/**
 * All places of a part of the split, and draws from them.
 *
 * Nothing is listed, since there may be one for every event: a number stands for each.
 */
export class Places {
  /** How many there are. */
  readonly count: number;
  readonly #users: Int32Array;
  readonly #from: Int32Array;
  /** Number of places of the users before. */
  readonly #before: Float64Array;

  constructor({ timelines, split }: TokenizedData, part: Part) {
    const ranges = Array.from({ length: timelines.users }, (_, user) => ({
      user,
      ...targetRange(timelines, user, split, part),
    })).filter(({ from, to }) => to > from);
    this.#users = Int32Array.from(ranges, ({ user }) => user);
    this.#from = Int32Array.from(ranges, ({ from }) => from);
    this.#before = new Float64Array(ranges.length + 1);
    ranges.forEach(({ from, to }, at) => (this.#before[at + 1] = this.#before[at]! + to - from));
    this.count = this.#before[ranges.length]!;
  }

  /** One place, drawn. There must be one. */
  draw(random: Random, sampling: Sampling): Place {
    const stream = random.stream();
    if (sampling === 'events') return this.at(stream.below(this.count));
    const user = stream.below(this.#users.length);
    const count = this.#before[user + 1]! - this.#before[user]!;
    return { user: this.#users[user]!, position: this.#from[user]! + stream.below(count) };
  }

  /** The place of a number below `count`: by user, and from old to new. */
  at(number: number): Place {
    let low = 0;
    let high = this.#users.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#before[middle]! <= number) low = middle;
      else high = middle - 1;
    }
    return { user: this.#users[low]!, position: this.#from[low]! + number - this.#before[low]! };
  }

  /** One place of every user: that of the oldest event. */
  firstOfUsers(): Place[] {
    return Array.from(this.#users, (user, at) => ({ user, position: this.#from[at]! }));
  }
}
