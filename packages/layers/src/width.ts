/** The name and the size of an axis that layers map from or to. */
export interface Width<A extends string> {
  readonly axis: A;
  readonly size: number;
}
