import { identifier } from '../sql.js';
import type { Connection } from './connection.js';
import { rawName } from './staged-table.js';

/**
 * Makes `good_events` of `usable_events`: without the rows that equal an earlier one in every column, if so wanted.
 *
 * Rows whose hash occurs once cannot be duplicates, which settles nearly all of them at eight bytes a row; only the
 * others are compared.
 *
 * @returns How many rows were dropped.
 */
export async function dropDuplicateEvents(
  connection: Connection,
  columns: readonly string[],
  duplicates: 'drop' | 'keep',
): Promise<number> {
  const all = 'CREATE VIEW good_events AS SELECT * FROM usable_events';
  if (duplicates === 'keep') {
    await connection.run(all);
    return 0;
  }
  const names = columns.map(identifier).join(', ');
  await connection.run(
    `CREATE TEMP TABLE repeated_hashes AS SELECT h FROM (SELECT hash(${names}) AS h FROM usable_events)
     GROUP BY h HAVING count(*) > 1`,
  );
  await connection.run(
    `CREATE TEMP TABLE duplicate_positions AS SELECT position FROM (
       SELECT position, row_number() OVER (PARTITION BY ${names} ORDER BY position) AS nth
       FROM usable_events WHERE hash(${names}) IN (SELECT h FROM repeated_hashes)) WHERE nth > 1`,
  );
  const { n } = await connection.one('SELECT count(*) AS n FROM duplicate_positions');
  await connection.run(
    Number(n) === 0 ? all : `${all} WHERE position NOT IN (SELECT position FROM duplicate_positions)`,
  );
  return Number(n);
}

/**
 * Makes `good_items` of `raw_items`: the first row of metadata of each item.
 *
 * @returns How many rows described an item again.
 */
export async function dropDuplicateItems(connection: Connection): Promise<number> {
  await connection.run(
    `CREATE TEMP TABLE item_positions AS SELECT min(position) AS position, count(*) AS n
     FROM ${rawName('items')} WHERE reason IS NULL GROUP BY item`,
  );
  await connection.run(
    `CREATE VIEW good_items AS SELECT * FROM ${rawName('items')} WHERE position IN (SELECT position FROM item_positions)`,
  );
  const { repeated } = await connection.one('SELECT coalesce(sum(n - 1), 0) AS repeated FROM item_positions');
  return Number(repeated);
}
