import { createHash } from 'node:crypto';
import type { Catalogue, Event, History, Item } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/** A data set as evaluation sees it: whole histories in order of time, and everything that can be ranked. */
export interface EvaluationData {
  /** What reports call it. */
  readonly name: string;
  /** SHA-256, in hexadecimal, of what was read. */
  readonly hash: string;
  /** Of a prepared data set the SHA-256 of its events and of its items, a space between, as `TrainedOn` has it. */
  readonly fingerprint?: string;
  /** One per user, in the order in which users first occur. */
  readonly histories: readonly History[];
  /** Titles and categories by item. */
  readonly catalogue: Catalogue;
  /** Every item that can be ranked, those without events too, in a fixed order: `[N]`. */
  readonly items: readonly string[];
  /** The place of each item in `items`. */
  readonly places: ReadonlyMap<string, number>;
  /** Number of events. */
  readonly events: number;
}

/** What a data set is made of. */
export interface EvaluationDataOptions {
  readonly name: string;
  /** In any order of users; events of one user at one time keep this order. */
  readonly events: Iterable<Event>;
  /** The catalogue; items that only events name are added without a title. */
  readonly items?: Iterable<Item>;
  /** SHA-256 of the files that the events came from; that of the events and items themselves when absent. */
  readonly hash?: string;
  /** SHA-256 of the file of events and of that of items, a space between; unknown when absent. */
  readonly fingerprint?: string;
}

/**
 * Events in memory as a data set: grouped by user, ordered by time (stably).
 *
 * @throws UserLlmError `no-events` when there is none.
 */
export function evaluationData(options: EvaluationDataOptions): EvaluationData {
  const { name, events, items = [], hash, fingerprint } = options;
  const catalogue = new Map<string, Item>();
  for (const item of items) if (!catalogue.has(item.item)) catalogue.set(item.item, item);
  const byUser = new Map<string, Event[]>();
  let count = 0;
  for (const event of events) {
    count++;
    if (!catalogue.has(event.item)) catalogue.set(event.item, { item: event.item });
    const history = byUser.get(event.user);
    if (history === undefined) byUser.set(event.user, [event]);
    else history.push(event);
  }
  if (count === 0) {
    throw new UserLlmError('no-events', { what: `data set ${name}`, expected: 'at least one event', got: 'none' });
  }
  const histories = [...byUser].map(([user, own]) => ({ user, events: own.sort((a, b) => a.time - b.time) }));
  const ids = [...catalogue.keys()];
  return {
    name,
    hash: hash ?? contentHash(histories, catalogue),
    ...(fingerprint !== undefined && { fingerprint }),
    histories,
    catalogue,
    items: ids,
    places: new Map(ids.map((id, place) => [id, place])),
    events: count,
  };
}

function contentHash(histories: readonly History[], catalogue: Catalogue): string {
  const hash = createHash('sha256');
  for (const { events } of histories) for (const event of events) hash.update(`${JSON.stringify(event)}\n`);
  for (const item of catalogue.values()) hash.update(`${JSON.stringify(item)}\n`);
  return hash.digest('hex');
}
