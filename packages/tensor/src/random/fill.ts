import { inverseNormal } from './inverse-normal.js';
import { threefry2x32 } from './threefry.js';

/** The two 32-bit words of a Threefry key. */
export type Key = readonly [number, number];

/** A typed array of real numbers that a draw can fill. */
export type RealArray = Float32Array | Float64Array;

const chunk = 1024;

/** Fills with the words of a key from word number `position` (even) on: word `2 b` and `2 b + 1` are block `b`. */
export function fillWords([key0, key1]: Key, position: number, into: Uint32Array): Uint32Array {
  const whole = into.length & ~1;
  let block = position / 2;
  for (let at = 0; at < whole; at += 2, block++) {
    threefry2x32(key0, key1, block >>> 0, Math.floor(block / 2 ** 32), into, at);
  }
  if (whole < into.length) {
    const last = new Uint32Array(2);
    threefry2x32(key0, key1, block >>> 0, Math.floor(block / 2 ** 32), last);
    into[whole] = last[0]!;
  }
  return into;
}

/** Fills with uniform numbers in [low, high): 24 random bits each in 32-bit arrays, 53 in 64-bit arrays. */
export function fillUniform<T extends RealArray>(key: Key, into: T, low: number, high: number): T {
  const width = high - low;
  return fill(
    key,
    into,
    (word) => low + width * ((word >>> 8) * 2 ** -24),
    (first, second) => low + width * unit53(first, second),
  );
}

/** Fills with normal numbers, by inversion: of 32 random bits in 32-bit arrays, of 52 in 64-bit arrays. */
export function fillNormal<T extends RealArray>(key: Key, into: T, mean: number, standardDeviation: number): T {
  return fill(
    key,
    into,
    (word) => mean + standardDeviation * normal32(word),
    (first, second) => mean + standardDeviation * normal52(first, second),
  );
}

/** A number in [0, 1) with 53 random bits, of two words. */
export function unit53(first: number, second: number): number {
  return ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
}

/** A standard normal number of one word; half a step keeps the probability from 0 and 1. */
export function normal32(word: number): number {
  return inverseNormal((word + 0.5) * 2 ** -32);
}

/** A standard normal number of 52 random bits, of two words. */
export function normal52(first: number, second: number): number {
  return inverseNormal(((first >>> 6) * 2 ** 26 + (second >>> 6) + 0.5) * 2 ** -52);
}

/** Draws chunk by chunk: one word per element of a 32-bit array, two per element of a 64-bit array. */
function fill<T extends RealArray>(
  key: Key,
  into: T,
  ofWord: (word: number) => number,
  ofWords: (first: number, second: number) => number,
): T {
  const words = new Uint32Array(chunk);
  const wordsEach = into.BYTES_PER_ELEMENT / 4;
  for (let start = 0; start < into.length; start += chunk / wordsEach) {
    fillWords(key, start * wordsEach, words);
    const count = Math.min(chunk / wordsEach, into.length - start);
    if (wordsEach === 1) {
      for (let index = 0; index < count; index++) {
        into[start + index] = ofWord(words[index]!);
      }
    } else {
      for (let index = 0; index < count; index++) {
        into[start + index] = ofWords(words[2 * index]!, words[2 * index + 1]!);
      }
    }
  }
  return into;
}
