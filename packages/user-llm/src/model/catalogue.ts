import type { Item } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { reservedIds } from '@user-llm/tokenization';
import { UserLlmError } from '@user-llm/tensor';

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
}
