import { dropout, type Float, type Symbolic } from '@user-llm/graph';
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

/**
 * Dropout that gives each of its uses the next stream of random numbers, so that a step can be repeated and no two
 * places drop alike.
 *
 * @param seed Changes with every training step; nothing is dropped when it is absent.
 * @param name As for `randomStreams`.
 */
export function dropoutStreams(seed: Symbolic<'int32', readonly []> | undefined, name: string): Dropout {
  if (seed === undefined) return noDropout;
  const next = randomStreams(name);
  return (x, rate) => dropout(x, rate, seed, next());
}
