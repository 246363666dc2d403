import { DuckDBInstance } from '@duckdb/node-api';

/** How large a made-up world of events is. */
export interface WorldSize {
  readonly events: number;
  readonly users: number;
  readonly items: number;
}

/**
 * Writes a made-up `events.parquet` in the form of canonical data sets: by user and time, users with histories of very
 * different lengths, a few items with most of the events, ratings of 0.5 to 5. The same size gives the same rows.
 */
export async function writeEvents(path: string, { events, users, items }: WorldSize): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const place = (salt: number) => `(hash(row * 8 + ${salt}) / 18446744073709551616)`;
  await connection.run(
    `COPY (
       SELECT
         floor(${users} * pow(row / ${events}, 1.5))::BIGINT::VARCHAR AS "user",
         floor(${items} * pow(${place(1)}, 3))::BIGINT::VARCHAR AS item,
         1000000000000 + row * 60000 + floor(pow(${place(2)}, 8) * 50000)::BIGINT AS "time",
         0.5 * (1 + floor(10 * ${place(3)})) AS rating
       FROM range(${events}) AS t(row) ORDER BY row
     ) TO '${path.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 32768)`,
  );
  connection.closeSync();
  instance.closeSync();
}
