import type { FieldValue, Item } from '@user-llm/plugin';
import type { EventColumns, EventSource } from './event-columns.js';
import { openParquet, rowRanges, type ParquetTable } from './parquet-table.js';

const rowsAtOnce = 1 << 17;

/**
 * The canonical `events` table of a data set as a source: it reads only the columns asked for, a range of rows at a time.
 *
 * @param path A Parquet file with the columns `user`, `item`, `time` (milliseconds since 1970).
 */
export function parquetEvents(path: string): EventSource {
  return {
    async *columns(fields) {
      const table = await openParquet(path, ['user', 'item', 'time', ...fields]);
      yield* readEvents(table, fields, 0, table.rows);
    },
  };
}

/** The events in rows `start .. end` of a table, in order. */
export async function* readEvents(
  table: ParquetTable,
  fields: readonly string[],
  start: number,
  end: number,
): AsyncGenerator<EventColumns> {
  for (const { rowStart, rowEnd } of rowRanges(table, start, end, rowsAtOnce)) {
    const [users, items, times, ...values] = await Promise.all(
      ['user', 'item', 'time', ...fields].map((column) => table.read(column, rowStart, rowEnd)),
    );
    yield {
      length: rowEnd - rowStart,
      users: strings(users!),
      items: strings(items!),
      times: milliseconds(times!),
      fields: Object.fromEntries(fields.map((field, index) => [field, values[index] as ArrayLike<FieldValue>])),
    };
  }
}

/**
 * The canonical `items` table of a data set.
 *
 * @param path A Parquet file with the column `item`.
 */
export async function* parquetItems(path: string): AsyncGenerator<Item> {
  const table = await openParquet(path, ['item']);
  const names = [...table.columns];
  for (const { rowStart, rowEnd } of rowRanges(table, 0, table.rows, rowsAtOnce)) {
    const columns = await Promise.all(names.map((column) => table.read(column, rowStart, rowEnd)));
    for (let row = 0; row < rowEnd - rowStart; row++) {
      const fields = names.map((name, index) => [name, columns[index]![row] as FieldValue] as const);
      const item = Object.fromEntries(fields);
      yield { ...item, item: String(item['item']) };
    }
  }
}

function strings(values: ArrayLike<unknown>): ArrayLike<string> {
  return typeof values[0] === 'string' ? (values as ArrayLike<string>) : Array.from(values, String);
}

function milliseconds(values: ArrayLike<unknown>): Float64Array {
  const times = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) times[row] = Number(values[row]);
  return times;
}
