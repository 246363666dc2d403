import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, Json } from '@duckdb/node-api';
import type { TableSettings } from '@user-llm/plugin';
import { explainEngineFailure } from '../explain-engine-failure.js';

/** A row as DuckDB prints it in JSON: 64-bit integers are strings. */
export type Row = Record<string, Json>;

/** A DuckDB database of a preparation: statements that can be stopped, watched, and fail with errors of this project. */
export class Connection {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Opens a database in `settings.scratch`; DuckDB is loaded here, not before. */
  static async open({ scratch, memoryLimit, threads, signal }: TableSettings): Promise<Connection> {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(join(scratch, 'work.duckdb'), {
      memory_limit: `${Math.max(64, Math.floor(memoryLimit / 1e6))}MB`,
      threads: String(threads),
      temp_directory: join(scratch, 'spill'),
      preserve_insertion_order: 'true',
    });
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'; SET enable_progress_bar = true; SET enable_progress_bar_print = false`);
    return new Connection(instance, connection, signal);
  }

  /**
   * Runs a statement and gives its rows.
   *
   * @param onFraction Is told now and then how far the statement is, 0 to 1.
   */
  async run(sql: string, onFraction?: (fraction: number) => void): Promise<readonly Row[]> {
    this.signal?.throwIfAborted();
    const stop = () => this.connection.interrupt();
    this.signal?.addEventListener('abort', stop, { once: true });
    const watch = onFraction && setInterval(() => this.tell(onFraction), 200);
    try {
      const reader = await this.connection.runAndReadAll(sql);
      return reader.getRowObjectsJson();
    } catch (error) {
      this.signal?.throwIfAborted();
      throw explainEngineFailure('DuckDB', error);
    } finally {
      clearInterval(watch);
      this.signal?.removeEventListener('abort', stop);
    }
  }

  /** Runs a statement that gives one row. */
  async one(sql: string, onFraction?: (fraction: number) => void): Promise<Row> {
    const [row] = await this.run(sql, onFraction);
    return row ?? {};
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private tell(onFraction: (fraction: number) => void): void {
    const { percentage } = this.connection.progress;
    if (percentage > 0) onFraction(Math.min(1, percentage / 100));
  }
}
