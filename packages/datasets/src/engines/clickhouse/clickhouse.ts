import type { TableEngine } from '@user-llm/plugin';
import { connectChdb } from './chdb.js';
import { ClickHouseSession } from './session.js';

/** A row as ClickHouse prints it in JSON: 64-bit integers are strings. */
export type ClickHouseRow = Readonly<Record<string, unknown>>;

/** A ClickHouse that runs statements. */
export interface ClickHouse {
  /** Runs one statement and gives its rows. */
  run(sql: string): Promise<readonly ClickHouseRow[]>;
  close(): Promise<void>;
}

/** How a ClickHouse is reached. */
export interface ClickHouseOptions {
  /**
   * Connects to a ClickHouse that keeps these settings for every statement; one in this process (the package `chdb`)
   * when absent. A server must see the raw files and the output folder under the paths they have here.
   *
   * @param scratch A folder for what one in this process keeps.
   */
  readonly connect?: (settings: Readonly<Record<string, string | number>>, scratch: string) => Promise<ClickHouse>;
}

/**
 * ClickHouse as the engine: the same rows in the same order as with DuckDB. It is loaded when it is first used, and ends
 * a statement before it stops.
 *
 * @throws UserLlmError `engine-missing` from `open` when no connection is given and `chdb` is not installed.
 */
export function clickhouse({ connect = connectChdb }: ClickHouseOptions = {}): TableEngine {
  let version = 'ClickHouse';
  return {
    name: 'clickhouse',
    version: () => Promise.resolve(version),
    open: async (settings) => {
      const connection = await connect(engineSettings(settings.memoryLimit, settings.threads), settings.scratch);
      const [row] = await connection.run('SELECT version() AS version');
      version = `ClickHouse ${String(row?.['version'])}`;
      return ClickHouseSession.open(connection, settings);
    },
  };
}

function engineSettings(memoryLimit: number, threads: number): Record<string, string | number> {
  return {
    max_threads: threads,
    max_memory_usage: Math.floor(memoryLimit),
    // What does not fit goes to the disk.
    max_bytes_before_external_group_by: Math.floor(memoryLimit / 3),
    max_bytes_before_external_sort: Math.floor(memoryLimit / 3),
    join_use_nulls: 1,
    precise_float_parsing: 1,
    engine_file_truncate_on_insert: 1,
    output_format_parquet_compression_method: 'snappy',
    output_format_json_quote_64bit_integers: 1,
    // A column that a row lacks is null and an empty one is empty text: so rows that are too short are told.
    input_format_csv_allow_variable_number_of_columns: 1,
    input_format_csv_empty_as_default: 0,
    // Rows are numbered as they stand in the file.
    input_format_parallel_parsing: 0,
    input_format_parquet_preserve_order: 1,
  };
}
