import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** How many rows, users and items raw files have. */
export interface RawSize {
  readonly events: number;
  readonly users: number;
  readonly items: number;
}

/** Writes a log in Parquet, in the order of time: users all mixed, few items with most of the events. */
export async function writeRawEvents(folder: string, { events, users, items }: RawSize): Promise<string> {
  const path = join(folder, 'log.parquet');
  await write(
    `SELECT floor(${users} * pow(${draw(0)}, 1.5))::BIGINT AS customer, floor(${items} * pow(${draw(1)}, 3))::BIGINT AS sku,
       1400000000 + row * 3 AS at, (1 + floor(5 * ${draw(2)}))::DOUBLE AS stars FROM range(${events}) AS rows(row)`,
    path,
    'FORMAT parquet, COMPRESSION snappy',
  );
  return path;
}

/** Writes `ratings.csv` as MovieLens has it: users one after the other, each in the order of items. */
export async function writeRawRatings(folder: string, { events, users, items }: RawSize): Promise<string> {
  const path = join(folder, 'ratings.csv');
  await write(
    `SELECT 1 + floor(${users} * pow(row / ${events}, 1.5))::BIGINT AS "userId",
       1 + floor(${items} * pow(${draw(1)}, 3))::BIGINT AS "movieId", 0.5 * (1 + floor(10 * ${draw(2)})) AS rating,
       800000000 + floor(700000000 * ${draw(3)})::BIGINT AS "timestamp" FROM range(${events}) AS rows(row)`,
    path,
    'FORMAT csv, HEADER',
  );
  return path;
}

/** Writes `events.parquet` as a prepared data set has it: by user and time, histories of very different lengths. */
export async function writePreparedEvents(folder: string, { events, users, items }: RawSize): Promise<string> {
  const path = join(folder, 'events.parquet');
  await write(
    `SELECT floor(${users} * pow(row / ${events}, 1.5))::BIGINT::VARCHAR AS "user",
       floor(${items} * pow(${draw(1)}, 3))::BIGINT::VARCHAR AS item,
       1000000000000 + row * 60000 + floor(pow(${draw(2)}, 8) * 50000)::BIGINT AS "time",
       0.5 * (1 + floor(10 * ${draw(3)})) AS rating FROM range(${events}) AS rows(row)`,
    path,
    'FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 32768',
  );
  return path;
}

/** SQL of a number in [0, 1) that hangs on the row alone. */
const draw = (salt: number) => `(hash(row * 8 + ${salt}) / 18446744073709551616)`;

async function write(select: string, path: string, options: string): Promise<void> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (${options})`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
