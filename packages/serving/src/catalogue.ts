import type { Event, Item } from '@user-llm/plugin';

/** Items by id, and found by their title. */
export class Catalogue {
  readonly #byId: ReadonlyMap<string, Item>;
  readonly #titles: readonly { readonly item: Item; readonly title: string }[];

  constructor(items: readonly Item[]) {
    this.#byId = new Map(items.map((item) => [item.item, item]));
    this.#titles = items.flatMap((item) => (item.title ? [{ item, title: fold(item.title) }] : []));
  }

  has(item: string): boolean {
    return this.#byId.has(item);
  }

  /** An event with the title and categories of its item, for people to read; the user's id is left out. */
  describe({ user: _, ...event }: Event): Record<string, unknown> {
    const { title, categories } = this.#byId.get(event.item) ?? {};
    return { ...event, title: title ?? null, categories: categories ?? [] };
  }

  /** Items whose title has every word of `query`, those that start with it first. */
  search(query: string, limit: number): readonly Item[] {
    const whole = fold(query.trim());
    const words = whole.split(/\s+/).filter((word) => word !== '');
    const found = this.#titles.filter(({ title }) => words.every((word) => title.includes(word)));
    const [first, rest] = [
      found.filter(({ title }) => title.startsWith(whole)),
      found.filter(({ title }) => !title.startsWith(whole)),
    ];
    return [...first, ...rest].slice(0, limit).map(({ item }) => item);
  }
}

/** Letters without case and accents. */
const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
