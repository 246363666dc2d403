import type { Item } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { reservedIds } from '@user-llm/tokenization';
import { UserLlmError } from '@user-llm/tensor';

/** One item of a ranking. */
export interface Recommendation {
  readonly item: string;
  readonly title?: string;
  /** The higher the better; comparable within one ranking only. */
  readonly score: number;
}

/** The items that may be recommended, in a fixed order, and their ids in the encoder's vocabulary. */
export class ItemCatalogue {
  readonly items: readonly Item[];
  /** The id of each item, in their order; 1 for one that the encoder has never seen. */
  readonly ids: Int32Array;
  readonly #places: ReadonlyMap<string, number>;

  /** @throws UserLlmError `bad-catalogue` when an item is listed twice. */
  constructor(items: readonly Item[], tokenizer: Pick<EventTokenizer, 'feature'>, item: string) {
    this.items = items;
    this.ids = new Int32Array(items.length);
    const { fitted } = tokenizer.feature(item);
    items.forEach((each, at) => fitted.encode(each.item, this.ids, at));
    this.#places = new Map(items.map((each, at) => [each.item, at]));
    const twice = items.find((each, at) => this.#places.get(each.item) !== at);
    if (twice) {
      throw new UserLlmError('bad-catalogue', {
        what: 'catalogue',
        expected: 'each item once',
        got: `${JSON.stringify(twice.item)} twice`,
        mend: 'Leave one of them out.',
      });
    }
  }

  /** The place of an item; nothing for one that is not in the catalogue. */
  placeOf(item: string): number | undefined {
    return this.#places.get(item);
  }

  /**
   * Scores of the items in their order out of scores by id; minus infinity for items that the encoder does not know.
   *
   * @param scores `[N]`, by id of the item feature.
   */
  scoresOf(scores: Float32Array): Float32Array {
    return Float32Array.from(this.ids, (id) => (id === reservedIds.unknown ? -Infinity : scores[id]!));
  }

  /**
   * The items of the highest scores, best first; those of equal scores in the catalogue's order.
   *
   * @param scores In the catalogue's order; items of minus infinity are left out.
   * @param exclude Ids of items to leave out; ids that are not in the catalogue do no harm.
   */
  best(scores: ArrayLike<number>, count: number, exclude: Iterable<string> = []): Recommendation[] {
    const omit = new Set(exclude);
    const places = Array.from(this.items.keys()).filter(
      (at) => scores[at]! > -Infinity && !omit.has(this.items[at]!.item),
    );
    places.sort((a, b) => scores[b]! - scores[a]! || a - b);
    return places.slice(0, Math.max(0, count)).map((at) => this.recommendation(at, scores[at]!));
  }

  /** The item at a place of the catalogue, as a ranking has it. */
  recommendation(place: number, score: number): Recommendation {
    const { item, title } = this.items[place]!;
    return { item, score, ...(typeof title === 'string' && { title }) };
  }
}
