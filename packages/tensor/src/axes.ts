/** The axis names of a tensor, outermost first: `readonly ['batch', 'event', 'userWidth']`. */
export type Axes = readonly string[];

/** `A` with the name `From` replaced by `To`. */
export type Renamed<A extends Axes, From extends string, To extends string> = {
  readonly [I in keyof A]: A[I] extends From ? To : A[I];
};

/** `A` with two names in each other's place. */
export type Swapped<A extends Axes, First extends string, Second extends string> = {
  readonly [I in keyof A]: A[I] extends First ? Second : A[I] extends Second ? First : A[I];
};

/**
 * `A` without one name, for up to eight axes. Spelled out instead of recursive: the compiler's work stays flat.
 * Of axes that are not known at compile time, `Axes` remain.
 */
export type Dropped<A extends Axes, Name extends string> = A extends readonly [Name, ...infer R extends Axes]
  ? R
  : A extends readonly [infer A1 extends string, Name, ...infer R extends Axes]
    ? readonly [A1, ...R]
    : A extends readonly [infer A1 extends string, infer A2 extends string, Name, ...infer R extends Axes]
      ? readonly [A1, A2, ...R]
      : DroppedLater<A, Name>;

type DroppedLater<A extends Axes, Name extends string> = A extends readonly [
  infer A1 extends string,
  infer A2 extends string,
  infer A3 extends string,
  ...infer Rest extends Axes,
]
  ? Rest extends readonly [Name, ...infer R extends Axes]
    ? readonly [A1, A2, A3, ...R]
    : Rest extends readonly [infer A4 extends string, Name, ...infer R extends Axes]
      ? readonly [A1, A2, A3, A4, ...R]
      : Rest extends readonly [infer A4 extends string, infer A5 extends string, Name, ...infer R extends Axes]
        ? readonly [A1, A2, A3, A4, A5, ...R]
        : Axes
  : Axes;

/**
 * `unknown` when `B` names the axes of `A` in some order, else `never`: `axes: B & Permutes<A, B>`. Of axes that are
 * not known at compile time all is allowed, and checked at run time.
 */
export type Permutes<A extends Axes, B extends Axes> = number extends A['length']
  ? unknown
  : A['length'] extends B['length']
    ? Covers<A, B>
    : never;

/** `unknown` when `B` has every name of `A`, else `never`; `unknown` also for axes not known at compile time. */
export type Covers<A extends Axes, B extends Axes> = number extends A['length']
  ? unknown
  : A[number] extends B[number]
    ? unknown
    : never;

/** One `T` per axis. */
export type PerAxis<A extends Axes, T> = { readonly [I in keyof A]: T };
