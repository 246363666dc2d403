import { UserLlmError } from '../errors.js';
import { checkCount, checkDistribution } from './count.js';
import { fillNormal, fillUniform, fillWords, type Key, type RealArray } from './fill.js';
import { RandomStream, type RandomStreamState } from './random-stream.js';
import { threefry2x32 } from './threefry.js';

/** A random value as plain JSON: what a checkpoint keeps. */
export interface RandomState {
  readonly algorithm: 'threefry2x32-20';
  /** The two 32-bit words of the key. */
  readonly key: Key;
}

/** Where a real-valued draw lies. */
export interface UniformRange {
  /** Lower bound, included; 0 when absent. */
  readonly low?: number;
  /** Upper bound, excluded up to rounding; 1 when absent. */
  readonly high?: number;
}

/** A normal distribution. */
export interface NormalDistribution {
  /** 0 when absent. */
  readonly mean?: number;
  /** 1 when absent. */
  readonly standardDeviation?: number;
}

// The upper bits of a counter's second word say what the block is for, so that no draw ever repeats a split.
const splitByIndex = 0x8000_0000;
const splitByName = 0xc000_0000;

/**
 * Splittable randomness as an immutable value: the same value always draws the same numbers, and its children,
 * by index or by name, are independent of it and of each other. Draw from a value **once**, and split it for more;
 * `stream()` gives a cursor where numbers are wanted one after the other.
 *
 * Counter-based (Threefry-2x32, 20 rounds). Every draw is made of 32-bit integer arithmetic, IEEE 754
 * `+ - * /` and square roots, so a seed gives the same bits on every platform and JavaScript engine.
 *
 * @example
 * const random = Random.fromSeed(7);
 * const weights = random.split('weights').normal(64, { standardDeviation: 0.02 }); // Float32Array(64)
 * const order = random.split('epoch').at(3).permutation(1000); // Int32Array(1000)
 */
export class Random {
  /** What is needed to draw the same again; `JSON.stringify` of a `Random` is this. */
  readonly state: RandomState;

  private constructor(key0: number, key1: number) {
    this.state = { algorithm: 'threefry2x32-20', key: [key0 >>> 0, key1 >>> 0] };
  }

  /**
   * @param seed A whole number from 0 to 2^64 - 1; above 2^53 as a bigint.
   * @throws UserLlmError `bad-seed` for any other number.
   */
  static fromSeed(seed: number | bigint): Random {
    if (typeof seed === 'bigint' ? seed < 0n || seed >> 64n !== 0n : !Number.isSafeInteger(seed) || seed < 0) {
      throw new UserLlmError('bad-seed', {
        what: 'Random.fromSeed',
        expected: 'a whole number from 0 to 2^64 - 1',
        got: String(seed),
        mend: 'Give a safe integer, or a bigint above 2^53.',
      });
    }
    const whole = BigInt(seed);
    return new Random(Number(whole >> 32n), Number(whole & 0xffff_ffffn));
  }

  /**
   * The value whose `state` was kept.
   *
   * @throws UserLlmError `bad-random-state` when it is not such a state.
   */
  static fromState(state: RandomState): Random {
    return new Random(...checkedKey('Random.fromState', state));
  }

  /**
   * The stream whose `state` was kept; it goes on with the very next word.
   *
   * @throws UserLlmError `bad-random-state` or `bad-count` when it is not such a state.
   */
  static resume(state: RandomStreamState): RandomStream {
    return new RandomStream(checkedKey('Random.resume', state), state.position);
  }

  /** `count` independent children: `split(count)[i]` equals `at(i)`. */
  split(count: number): Random[];
  /** The child of a name, such as `'dropout'`; never one of the numbered ones. */
  split(name: string): Random;
  split(by: number | string): Random | Random[] {
    return typeof by === 'string'
      ? this.named(by)
      : Array.from({ length: checkCount('Random.split', by, 0, 2 ** 32 - 1) }, (_, index) => this.at(index));
  }

  /**
   * The child number `index`, as of a training step: independent of its siblings, and found at once.
   *
   * @param index From 0 to 2^32 - 1.
   * @throws UserLlmError `bad-count` for any other number.
   */
  at(index: number): Random {
    return this.child(checkCount('Random.at', index, 0, 2 ** 32 - 1), splitByIndex);
  }

  /**
   * Uniform 32-bit words.
   *
   * @param into How many, or the array to fill.
   */
  bits(into: number | Uint32Array): Uint32Array {
    return fillWords(this.state.key, 0, typeof into === 'number' ? new Uint32Array(checkLength('bits', into)) : into);
  }

  /**
   * Uniform real numbers in [low, high), with 24 random bits each in a `Float32Array` and 53 in a `Float64Array`;
   * where `low` and `high` are so close, or so large, that rounding matters, `high` itself can come out.
   *
   * @param into How many (then a new `Float32Array`), or the array to fill.
   * @throws UserLlmError `bad-distribution` when the bounds are not finite or out of order.
   */
  uniform(into: number, range?: UniformRange): Float32Array;
  uniform<T extends RealArray>(into: T, range?: UniformRange): T;
  uniform(into: number | RealArray, { low = 0, high = 1 }: UniformRange = {}): RealArray {
    checkDistribution('Random.uniform', [low, high], low > high, 'finite bounds, the lower first');
    return fillUniform(this.state.key, realArray('uniform', into), low, high);
  }

  /**
   * Normally distributed real numbers by inversion: of 32 random bits in a `Float32Array` (they reach 6.3 standard
   * deviations), of 52 in a `Float64Array` (8.2).
   *
   * @param into How many (then a new `Float32Array`), or the array to fill.
   * @throws UserLlmError `bad-distribution` when mean or deviation are not finite, or the deviation is negative.
   */
  normal(into: number, distribution?: NormalDistribution): Float32Array;
  normal<T extends RealArray>(into: T, distribution?: NormalDistribution): T;
  normal(into: number | RealArray, { mean = 0, standardDeviation = 1 }: NormalDistribution = {}): RealArray {
    const wrong = standardDeviation < 0;
    checkDistribution('Random.normal', [mean, standardDeviation], wrong, 'a finite mean and a deviation from 0 up');
    return fillNormal(this.state.key, realArray('normal', into), mean, standardDeviation);
  }

  /**
   * Whole numbers from 0 to `below` - 1, each equally likely (by rejection, not by a remainder alone).
   *
   * @param into How many (then a new `Int32Array`), or the array to fill.
   * @param below From 1 to 2^31.
   * @throws UserLlmError `bad-count` when `below` is out of range.
   */
  integers(into: number | Int32Array, below: number): Int32Array {
    const numbers = typeof into === 'number' ? new Int32Array(checkLength('integers', into)) : into;
    checkCount('Random.integers below', below, 1, 2 ** 31);
    const stream = this.stream();
    for (let index = 0; index < numbers.length; index++) {
      numbers[index] = stream.below(below);
    }
    return numbers;
  }

  /**
   * The numbers 0 to `length` - 1 in an order each equally likely (the shuffle of Fisher and Yates).
   *
   * @throws UserLlmError `bad-count` when `length` is not a whole number from 0 to 2^31 - 1.
   */
  permutation(length: number): Int32Array {
    const order = Int32Array.from({ length: checkLength('permutation', length) }, (_, index) => index);
    const stream = this.stream();
    for (let last = length - 1; last > 0; last--) {
      const chosen = stream.below(last + 1);
      const moved = order[last]!;
      order[last] = order[chosen]!;
      order[chosen] = moved;
    }
    return order;
  }

  /** A cursor over this value's words, from the first. */
  stream(): RandomStream {
    return new RandomStream(this.state.key);
  }

  /** The state, so that `JSON.stringify` keeps it. */
  toJSON(): RandomState {
    return this.state;
  }

  private child(counter0: number, counter1: number): Random {
    const words = new Uint32Array(2);
    threefry2x32(...this.state.key, counter0, counter1, words);
    return new Random(words[0]!, words[1]!);
  }

  /** Chains the block function over the name's UTF-8 bytes, eight at a time, their number first. */
  private named(name: string): Random {
    const bytes = new TextEncoder().encode(name);
    const byte = (at: number) => bytes[at] ?? 0;
    const word = (at: number) => byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    let child = this.child(bytes.length, splitByName);
    for (let at = 0; at < bytes.length; at += 8) {
      child = child.child(word(at), word(at + 4));
    }
    return child;
  }
}

function checkLength(what: string, length: number): number {
  return checkCount(`Random.${what} length`, length, 0, 2 ** 31 - 1);
}

function realArray(what: string, into: number | RealArray): RealArray {
  return typeof into === 'number' ? new Float32Array(checkLength(what, into)) : into;
}

function checkedKey(what: string, state: RandomState): Key {
  const { algorithm, key } = (state ?? {}) as Partial<RandomState>;
  const word = (value: unknown) => Number.isSafeInteger(value) && (value as number) >>> 0 === value;
  if (algorithm !== 'threefry2x32-20' || !Array.isArray(key) || key.length !== 2 || !key.every(word)) {
    throw new UserLlmError('bad-random-state', {
      what,
      expected: '{ algorithm: "threefry2x32-20", key: [word, word] }',
      got: JSON.stringify(state),
      mend: 'Give the state that a Random returned, unchanged.',
    });
  }
  return [key[0], key[1]];
}
