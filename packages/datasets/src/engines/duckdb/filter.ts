import type { FilterReport, Thresholds } from '@user-llm/plugin';
import type { Connection } from './connection.js';

/**
 * Makes `kept_events` of `good_events`, and `item_counts` of its items, by dropping users and items with too few events
 * until none has.
 */
export async function filterEvents(
  connection: Connection,
  thresholds: Thresholds,
  onFraction: (fraction: number) => void,
): Promise<FilterReport> {
  const selective = thresholds.user > 1 || thresholds.item > 1;
  let rounds = 0;
  if (!selective) await connection.run('CREATE VIEW kept_events AS SELECT * FROM good_events');
  else rounds = await shrink(connection, thresholds, onFraction);

  await connection.run('CREATE OR REPLACE TEMP TABLE item_counts AS SELECT DISTINCT item FROM kept_events', onFraction);
  const found = await connection.one(
    `SELECT count(*) AS events, count(DISTINCT user) AS users, min("time") AS first, max("time") AS last,
       (SELECT count(*) FROM item_counts) AS items FROM kept_events`,
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

/** Makes the view `kept_events` over the users and items that are left; returns how often they were counted. */
async function shrink(
  connection: Connection,
  { user, item }: Thresholds,
  onFraction: (fraction: number) => void,
): Promise<number> {
  const atLeast = (id: 'user' | 'item', threshold: number, from: string) =>
    `SELECT ${id} FROM ${from} GROUP BY ${id} HAVING count(*) >= ${threshold}`;
  const left = async (id: 'user' | 'item') =>
    Number((await connection.one(`SELECT count(*) AS n FROM kept_${id}s`))['n']);

  await connection.run(`CREATE TEMP TABLE kept_users AS ${atLeast('user', user, 'good_events')}`, onFraction);
  const byUser = 'SELECT * FROM good_events WHERE user IN (SELECT user FROM kept_users)';
  if (item <= 1) {
    await connection.run(`CREATE VIEW kept_events AS ${byUser}`);
    return 1;
  }
  await connection.run(`CREATE TEMP TABLE kept_items AS ${atLeast('item', item, `(${byUser})`)}`, onFraction);
  const byBoth = `${byUser} AND item IN (SELECT item FROM kept_items)`;
  await connection.run(`CREATE VIEW kept_events AS ${byBoth}`);
  for (let rounds = 2; ; rounds += 1) {
    const before = (await left('user')) + (await left('item'));
    for (const [id, threshold] of [
      ['user', user],
      ['item', item],
    ] as const) {
      await connection.run(`CREATE TEMP TABLE next_${id}s AS ${atLeast(id, threshold, 'kept_events')}`, onFraction);
      await connection.run(
        `DELETE FROM kept_${id}s WHERE ${id} NOT IN (SELECT ${id} FROM next_${id}s); DROP TABLE next_${id}s`,
      );
    }
    if ((await left('user')) + (await left('item')) === before) return rounds;
  }
}
