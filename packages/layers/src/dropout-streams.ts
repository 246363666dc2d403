import {
  cast,
  dropout,
  floor,
  greaterEqual,
  multiply,
  reshape,
  sameShape,
  subtract,
  uniform,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import type { Axes } from '@user-llm/tensor';

/** Drops elements with a probability from 0 up to and excluding 1; each call has random numbers of its own. */
export type Dropout = <A extends Axes>(x: Float<A>, rate: number) => Float<A>;

/** Leaves everything as it is, as at inference. */
export const noDropout: Dropout = (x) => x;

/** FNV-1a of a name, as an unsigned number of 32 bits. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/**
 * Numbers of streams for `dropout` and `uniform`, another one with each call.
 *
 * @param name Tells the parts of a model apart that share a seed: `user-encoder`.
 */
export function randomStreams(name: string): () => number {
  let stream = hash(name);
  return () => stream++ >>> 0;
}

/** Random numbers have 24 bits: enough for two uses of 12. */
const levels = 4096;

/**
 * Dropout that gives each of its uses random numbers of its own, so that a step can be repeated and no two places drop
 * alike. Rates are rounded to 1/4096, since two uses of one shape share a draw.
 *
 * @param seed Changes with every training step; nothing is dropped when it is absent.
 * @param name As for `randomStreams`.
 */
export function dropoutStreams(seed: Symbolic<'int32', readonly []> | undefined, name: string): Dropout {
  if (seed === undefined) return noDropout;
  const next = randomStreams(name);
  let spare: Float | undefined;
  return (x, rate) => {
    const dropped = Math.round(rate * levels) / levels;
    // What cannot be rounded well is left to a draw of its own, as is the complaint about what is no rate.
    if (!(dropped > 0 && dropped < 1)) return dropout(x, rate, seed, next());
    const shared = spare !== undefined && sameShape(spare.shape, x.shape) ? spare : undefined;
    const drawn = shared ?? (uniform(seed, x.axes, x.shape as never, next()) as Float);
    spare = shared ? undefined : lowBits(drawn);
    const kept = cast(greaterEqual(drawn, dropped), 'float32');
    return multiply(x, reshape(multiply(kept, 1 / (1 - dropped)), x.axes, x.shape as never) as Float) as typeof x;
  };
}

/** Random numbers made of the lower 12 bits of others, independent of where these lie among multiples of 1/4096. */
function lowBits(draws: Float): Float {
  const scaled = multiply(draws, levels);
  return subtract(scaled, floor(scaled));
}
