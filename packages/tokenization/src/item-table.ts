import type { Item } from '@user-llm/plugin';
import type { ReadyFeature } from './schema-plan.js';

/**
 * The ids of the features that hang on the item alone, one row per item: an event stores the row of its item, and a
 * batch looks the ids up. Row 0 is the item nothing is known of.
 */
export class ItemTable {
  /** The items that have a row; item `i` has row `i + 1`. */
  readonly items: readonly string[];
  /** Ids by feature, `[rows, slots]` row-major. */
  readonly columns: Readonly<Record<string, Int32Array>>;
  readonly #rows: ReadonlyMap<string, number>;

  constructor(items: readonly string[], columns: Readonly<Record<string, Int32Array>>) {
    this.items = items;
    this.columns = columns;
    this.#rows = new Map(items.map((item, index) => [item, index + 1]));
  }

  /** The table of a catalogue; of several rows about one item the last counts. */
  static of(features: readonly ReadyFeature[], catalogue: Iterable<Item>): ItemTable {
    const byId = new Map<string, Item>();
    for (const item of catalogue) byId.set(item.item, item);
    const items = [...byId.values()];
    const columns = features.map(({ name, field, slots, fitted }) => {
      const column = new Int32Array((items.length + 1) * slots);
      fitted.encode(null, column, 0);
      items.forEach((item, index) => fitted.encode(item[field], column, (index + 1) * slots));
      return [name, column] as const;
    });
    return new ItemTable([...byId.keys()], Object.fromEntries(columns));
  }

  /** The row of an item; 0 for one that is not in the catalogue. */
  rowOf(item: string): number {
    return this.#rows.get(item) ?? 0;
  }
}
