import type {
  EventColumns,
  FilterReport,
  ItemColumns,
  ItemReport,
  RawTable,
  StageReport,
  TableLimits,
  TableName,
  TableProgress,
  TableSession,
  TableSettings,
  Thresholds,
  WriteReport,
} from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { canonicalKinds, canonicalTypes } from '../canonical-columns.js';
import { identifier, literal } from '../sql.js';
import type { Connection } from './connection.js';
import { dropDuplicateEvents, dropDuplicateItems } from './duplicates.js';
import { filterEvents } from './filter.js';
import { stage, type StagedTable } from './stage.js';
import { rawName } from './staged-table.js';

/** Rows of a group in the Parquet files: what a reader holds in memory at a time. */
const rowGroupSize = 122_880;
/** Different values that a row group keeps in a dictionary: items, so that readers decode each once, but not times. */
const dictionarySize = 32_768;

/** Types of the columns of items when there is no metadata. */
const unknownItems = new Map(Object.entries(canonicalKinds.items).map(([name, kind]) => [name, canonicalTypes[kind]]));

/**
 * A preparation in DuckDB.
 *
 * The relations follow one another: `raw_events` (all rows), `good_events` (usable ones, ids as numbers where they are
 * plain numbers), `kept_events` (after the filter); `raw_items`, `good_items`.
 */
export class DuckDbSession implements TableSession {
  private events: StagedTable | undefined;
  private items: StagedTable | undefined;
  private thresholds: Thresholds = { user: 1, item: 1 };

  constructor(
    private readonly connection: Connection,
    private readonly settings: TableSettings,
  ) {}

  async stageEvents(table: RawTable<EventColumns>, limits: TableLimits): Promise<StageReport> {
    this.events = await stage(this.connection, 'events', table, limits, this.telling('read events'));
    const { columns, integers, report } = this.events;
    const values = [...columns.keys()].map((name) => {
      const number = integers[name];
      return number === undefined ? identifier(name) : `${number} AS ${identifier(name)}`;
    });
    await this.connection.run(
      `CREATE VIEW usable_events AS SELECT position, ${values.join(', ')} FROM ${rawName('events')} WHERE reason IS NULL`,
    );
    const duplicates = await dropDuplicateEvents(this.connection, [...columns.keys()], limits.duplicates);
    return { ...report, duplicates };
  }

  async stageItems(table: RawTable<ItemColumns>, limits: TableLimits): Promise<StageReport> {
    this.items = await stage(this.connection, 'items', table, limits, this.telling('read items'));
    const duplicates = await dropDuplicateItems(this.connection);
    return { ...this.items.report, duplicates };
  }

  async filter(thresholds: Thresholds): Promise<FilterReport> {
    this.staged();
    this.thresholds = thresholds;
    return await filterEvents(this.connection, thresholds, this.telling('filter'));
  }

  async writeEvents(path: string): Promise<WriteReport> {
    const { columns, integers } = this.staged();
    const user = integers['user'] === undefined ? 'strlen(user), user' : 'user';
    const values = [...columns].map(([name, type]) => `${identifier(name)}::${type} AS ${identifier(name)}`);
    // Ids stay numbers while rows are sorted, and become text on the way out: a third of the time and memory.
    const sorted = `SELECT * FROM kept_events ORDER BY ${user}, "time", position`;
    return await this.write('events', `SELECT ${values.join(', ')} FROM (${sorted})`, path, columns);
  }

  async writeItems(path: string): Promise<WriteReport & ItemReport> {
    this.staged();
    const columns: ReadonlyMap<string, string> = this.items?.columns ?? unknownItems;
    const described = this.items === undefined ? '(SELECT NULL::VARCHAR AS item WHERE false)' : 'good_items';
    const join = this.thresholds.item > 1 ? 'RIGHT JOIN' : 'FULL JOIN';
    const values = [...columns].map(([name, type]) => {
      if (name === 'item') return 'coalesce(described.item, counted.item) AS item';
      const value = this.items === undefined ? `NULL::${type}` : `described.${identifier(name)}`;
      return `${type.endsWith('[]') ? `coalesce(${value}, [])` : value} AS ${identifier(name)}`;
    });
    const select = `SELECT ${values.join(', ')} FROM ${described} AS described
      ${join} (SELECT item::VARCHAR AS item FROM item_counts) AS counted USING (item)
      ORDER BY strlen(item), item`;
    const report = await this.write('items', select, path, columns);
    const { n } = await this.connection.one(
      `SELECT count(*) AS n FROM item_counts WHERE item::VARCHAR NOT IN (SELECT item FROM ${described})`,
    );
    return { ...report, items: report.rows, withoutMetadata: Number(n) };
  }

  close(): Promise<void> {
    this.connection.close();
    return Promise.resolve();
  }

  private staged(): StagedTable {
    if (this.events !== undefined) return this.events;
    throw new UserLlmError('out-of-order', { what: 'Table session', expected: 'stageEvents before this step' });
  }

  /** Tells that a step begins, and gives what is to be told how far it is. */
  private telling(step: TableProgress['step']): (fraction: number) => void {
    this.settings.onProgress?.({ step });
    return (fraction) => this.settings.onProgress?.({ step, fraction });
  }

  private async write(
    table: TableName,
    select: string,
    path: string,
    columns: ReadonlyMap<string, string>,
  ): Promise<WriteReport> {
    const { Count: rows } = await this.connection.one(
      `COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${rowGroupSize}, DICTIONARY_SIZE_LIMIT ${dictionarySize})`,
      this.telling(`write ${table}`),
    );
    return { rows: Number(rows), columns: Object.fromEntries(columns) };
  }
}
