/** A pair of neighbouring tokens that may be merged. */
export interface PairEntry {
  /** Both tokens as one number: the first counts more. */
  readonly pair: number;
  /** How often it occurred when it was put in. */
  readonly count: number;
  /** Words in which it was found. */
  readonly words: readonly number[];
}

const before = (a: PairEntry, b: PairEntry): boolean => (a.count === b.count ? a.pair < b.pair : a.count > b.count);

/** A heap of pairs: the most frequent first, of equally frequent ones that of the lower tokens. */
export class PairQueue {
  readonly #heap: PairEntry[] = [];

  push(entry: PairEntry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(entry, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** Takes out the first entry; nothing when there is none. */
  pop(): PairEntry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      if (!before(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}
