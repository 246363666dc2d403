import { checkCount } from './count.js';
import { fillWords, normal52, unit53, type Key } from './fill.js';

/** Where a stream stands, as plain JSON. */
export interface RandomStreamState {
  readonly algorithm: 'threefry2x32-20';
  readonly key: Key;
  /** Number of 32-bit words drawn so far. */
  readonly position: number;
}

const buffered = 64;

/**
 * A cursor over the words of one `Random`, for numbers that are wanted one after the other, as in sampling tokens.
 * It moves; `state` is all that is needed to go on later with the same bits.
 */
export class RandomStream {
  readonly #key: Key;
  readonly #words = new Uint32Array(buffered);
  #position: number;
  /** Position of the first buffered word; `NaN` before the first draw. */
  #from = Number.NaN;

  constructor(key: Key, position = 0) {
    this.#key = key;
    this.#position = checkCount('RandomStream position', position, 0, Number.MAX_SAFE_INTEGER);
  }

  /** Where the stream stands; `Random.resume` goes on from there. */
  get state(): RandomStreamState {
    return { algorithm: 'threefry2x32-20', key: this.#key, position: this.#position };
  }

  /** 32 random bits, as a number from 0 to 2^32 - 1. */
  bits(): number {
    const from = this.#position - (this.#position % buffered);
    if (from !== this.#from) {
      fillWords(this.#key, from, this.#words);
      this.#from = from;
    }
    return this.#words[this.#position++ - from]!;
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return unit53(this.bits(), this.bits());
  }

  /** A normal number of mean 0 and standard deviation 1. */
  normal(): number {
    return normal52(this.bits(), this.bits());
  }

  /**
   * A whole number from 0 to `below` - 1, each equally likely: draws that would favour the low numbers are rejected.
   *
   * @param below From 1 to 2^53 - 1.
   * @throws UserLlmError `bad-count` for any other number.
   */
  below(below: number): number {
    checkCount('RandomStream.below', below, 1, Number.MAX_SAFE_INTEGER);
    const wide = below > 2 ** 32;
    const range = wide ? 2 ** 53 : 2 ** 32;
    const fair = range - (range % below);
    for (;;) {
      const drawn = wide ? (this.bits() >>> 11) * 2 ** 32 + this.bits() : this.bits();
      if (drawn < fair) {
        return drawn % below;
      }
    }
  }

  /** The state, so that `JSON.stringify` keeps it. */
  toJSON(): RandomStreamState {
    return this.state;
  }
}
