import type { Event } from '@user-llm/plugin';
import type { Tensor } from '@user-llm/tensor';
import { batchOf, Timelines } from '@user-llm/tokenization';
import { eventFeeds } from '@user-llm/user-llm';
import type { ModelInHand } from './model-in-hand.js';

/**
 * Histories as the inputs of `eventInputs` are fed: the last `maximumEvents` of each, from the start of its row. A
 * history may be empty, and one user's may occur several times.
 *
 * @param events `T`; that of the longest, or 1, when absent.
 */
export function historyFeeds(
  { model, eventTokenizer }: Pick<ModelInHand, 'model' | 'eventTokenizer'>,
  histories: readonly (readonly Event[])[],
  events?: number,
): Record<string, Tensor> {
  // One more event than is read, so that the first one's time gap is that of the whole history.
  const kept = histories.map((history) => history.slice(-model.maximumEvents - 1));
  const rows = kept.map((history, row) => history.map((event) => ({ ...event, user: `${row}` })));
  const { columns } = eventTokenizer.encode(rows.flat());
  const rowOf = new Map(columns.users.map((name, user) => [name, user]));
  // An empty history has no timeline of its own: it is an empty window of a user that has none.
  const timelines = new Timelines({
    ...columns,
    users: [...columns.users, ''],
    offsets: Int32Array.of(...columns.offsets, columns.offsets.at(-1)!),
  });
  const users = Int32Array.from(kept, (_, row) => rowOf.get(`${row}`) ?? columns.users.length);
  const ends = Int32Array.from(kept, ({ length }) => length);
  const starts = ends.map((end) => Math.max(0, end - model.maximumEvents));
  const longest = Math.max(1, ...ends.map((end, row) => end - starts[row]!));
  const windows = { count: kept.length, users, starts, ends };
  return eventFeeds(batchOf(eventTokenizer, timelines, windows, { events: events ?? longest }));
}
