import { added, identifier } from '../sql.js';
import type { Connection } from './connection.js';

/**
 * Deletes from `sorted_events` the rows that equal an earlier one in every column.
 *
 * Equal rows have the same user and time, so in the sorted table they are among neighbours; only rows whose item occurs
 * twice at the same time are compared.
 *
 * @param columns Columns of the table.
 * @returns How many rows were deleted.
 */
export async function dropDuplicateEvents(connection: Connection, columns: readonly string[]): Promise<number> {
  await connection.run(
    `CREATE TEMP TABLE repeated_events AS SELECT user, "time", item FROM (
       SELECT user, "time", item,
         (user = lag(user) OVER () AND "time" = lag("time") OVER ())
           OR (user = lead(user) OVER () AND "time" = lead("time") OVER ()) AS tied
       FROM sorted_events)
     WHERE tied GROUP BY ALL HAVING count(*) > 1`,
  );
  const { n } = await connection.one('SELECT count(*) AS n FROM repeated_events');
  if (Number(n) === 0) return 0;
  const { Count: deleted } = await connection.one(
    `DELETE FROM sorted_events WHERE rowid IN (SELECT place FROM (
       SELECT rowid AS place, row_number() OVER (PARTITION BY ${columns.map(identifier).join(', ')} ORDER BY rowid) AS nth
       FROM sorted_events WHERE (user, "time", item) IN (SELECT user, "time", item FROM repeated_events)) WHERE nth > 1)`,
  );
  return Number(deleted);
}

/**
 * Makes `good_items` of `usable_items`: the first row of metadata of each item.
 *
 * @returns How many rows described an item again.
 */
export async function dropDuplicateItems(connection: Connection): Promise<number> {
  await connection.run(
    `CREATE TEMP TABLE item_positions AS SELECT min(${added.position}) AS position, count(*) AS n FROM usable_items GROUP BY item`,
  );
  await connection.run(
    `CREATE VIEW good_items AS SELECT * FROM usable_items WHERE ${added.position} IN (SELECT position FROM item_positions)`,
  );
  const { repeated } = await connection.one('SELECT coalesce(sum(n - 1), 0) AS repeated FROM item_positions');
  return Number(repeated);
}
