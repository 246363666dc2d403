import type { FilterReport, Thresholds } from '@user-llm/plugin';
import type { Connection } from './connection.js';

/** Deletes users and items with too few events from `sorted_events` until none has, and makes `known_items` of what is left. */
export async function filterEvents(
  connection: Connection,
  thresholds: Thresholds,
  onFraction: (fraction: number) => void,
): Promise<FilterReport> {
  const rounds = await shrink(connection, thresholds, onFraction);
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE known_items AS SELECT DISTINCT item FROM sorted_events',
    onFraction,
  );
  const found = await connection.one(
    `SELECT count(*) AS events, count(DISTINCT user) AS users, min("time") AS first, max("time") AS last,
       (SELECT count(*) FROM known_items) AS items FROM sorted_events`,
    onFraction,
  );
  const events = Number(found['events']);
  return {
    events,
    users: Number(found['users']),
    items: Number(found['items']),
    rounds,
    ...(events > 0 && { time: { first: Number(found['first']), last: Number(found['last']) } }),
  };
}

/** Deletes what has too few events; returns how often users and items were counted. */
async function shrink(
  connection: Connection,
  { user, item }: Thresholds,
  onFraction: (fraction: number) => void,
): Promise<number> {
  const drop = async (id: 'user' | 'item', threshold: number): Promise<number> => {
    const few = `SELECT ${id} FROM sorted_events GROUP BY ${id} HAVING count(*) < ${threshold}`;
    const { Count: deleted } = await connection.one(`DELETE FROM sorted_events WHERE ${id} IN (${few})`, onFraction);
    return Number(deleted);
  };
  if (item <= 1) {
    if (user > 1) await drop('user', user);
    return user > 1 ? 1 : 0;
  }
  for (let rounds = 1; ; rounds += 1) {
    const users = await drop('user', user);
    const items = await drop('item', item);
    if (users + items === 0) return rounds;
  }
}
