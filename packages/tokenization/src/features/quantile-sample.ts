/**
 * A bounded sample of a long sequence of numbers: every number until it is full, then every second one, every fourth,
 * and so on. The same sequence leaves the same sample.
 */
export class QuantileSample {
  readonly #capacity: number;
  readonly #kept: number[] = [];
  #stride = 1;
  #seen = 0;

  /** @param capacity Most numbers to keep; even. */
  constructor(capacity = 1 << 18) {
    this.#capacity = capacity;
  }

  /** Takes in one number. */
  add(value: number): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(value);
    if (this.#kept.length < this.#capacity) return;
    for (let index = 0; 2 * index < this.#kept.length; index++) this.#kept[index] = this.#kept[2 * index]!;
    this.#kept.length /= 2;
    this.#stride *= 2;
  }

  /** The distinct numbers that part the sample into `parts` of equal size: at most `parts - 1`, ascending. */
  edges(parts: number): number[] {
    const sorted = Float64Array.from(this.#kept).sort();
    const cuts = Array.from({ length: parts - 1 }, (_, cut) => sorted[Math.floor(((cut + 1) * sorted.length) / parts)]);
    return [...new Set(cuts.filter((cut) => cut !== undefined && cut > sorted[0]!))] as number[];
  }
}
