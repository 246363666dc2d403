import type { ItemTable } from './item-table.js';
import type { ReadyFeature } from './schema-plan.js';

/** Whether a feature is of the event's item itself. */
export function readsItem({ origin, field }: ReadyFeature): boolean {
  return origin === 'event' && field === 'item';
}

/**
 * The items that events have named so far, numbered as they came: looked up once per event, and encoded once for all
 * events, since there are many more events than items.
 */
export class SeenItems {
  /** The row in the item table, by number. */
  readonly rows: number[] = [];
  readonly #codes = new Map<string, number>();
  readonly #features: readonly { readonly feature: ReadyFeature; readonly ids: number[] }[];
  readonly #items: ItemTable;

  /** @param features Those that read the item. */
  constructor(features: readonly ReadyFeature[], items: ItemTable) {
    this.#features = features.map((feature) => ({ feature, ids: [] }));
    this.#items = items;
  }

  /** The number of each item. */
  codesOf(items: ArrayLike<string>, length: number): Int32Array {
    const codes = new Int32Array(length);
    for (let row = 0; row < length; row++) codes[row] = this.#codes.get(items[row]!) ?? this.#add(items[row]!);
    return codes;
  }

  /** Writes the ids of a feature for the items of these numbers, from place `start` on. */
  copyIds({ name, slots }: ReadyFeature, codes: Int32Array, out: Int32Array, start: number): void {
    const { ids } = this.#features.find(({ feature }) => feature.name === name)!;
    let at = start * slots;
    for (const code of codes) for (let slot = 0; slot < slots; slot++) out[at++] = ids[code * slots + slot]!;
  }

  #add(item: string): number {
    const code = this.rows.length;
    this.#codes.set(item, code);
    this.rows.push(this.#items.rowOf(item));
    for (const { feature, ids } of this.#features) {
      const own = new Int32Array(feature.slots);
      feature.fitted.encode(item, own, 0);
      ids.push(...own);
    }
    return code;
  }
}
