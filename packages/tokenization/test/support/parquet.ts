import { DuckDBInstance } from '@duckdb/node-api';
import type { Event } from '@user-llm/plugin';

const literal = (value: string | number | null | undefined): string => {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
};

/**
 * Writes events as a data set's `events.parquet` has them, in the order given.
 *
 * @param rowGroup Rows that are stored together.
 */
export async function writeEvents(path: string, events: readonly Event[], rowGroup = 2048): Promise<void> {
  const rows = events.map(({ user, item, time, rating }) => `(${[user, item, time, rating].map(literal).join(',')})`);
  const columns = 'user::VARCHAR AS "user", item::VARCHAR AS item, "time"::BIGINT AS "time", rating::DOUBLE AS rating';
  await write(path, `SELECT ${columns} FROM (VALUES ${rows.join(',')}) AS t("user", item, "time", rating)`, rowGroup);
}

/** Writes what a query gives. */
export async function write(path: string, query: string, rowGroup = 2048): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet, ROW_GROUP_SIZE ${rowGroup})`);
  connection.closeSync();
  instance.closeSync();
}
