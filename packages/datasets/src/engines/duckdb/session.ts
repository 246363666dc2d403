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
import { canonicalKinds } from '../canonical-columns.js';
import { added, identifier, literal } from '../sql.js';
import type { ColumnSql } from './column.js';
import type { Connection } from './connection.js';
import { dropDuplicateEvents, dropDuplicateItems } from './duplicates.js';
import { filterEvents } from './filter.js';
import { dropStaged, stage, type StagedTable } from './stage.js';
import { nothing, usableSelect } from './staged-table.js';

/** Rows of a group in the Parquet files: what a reader holds in memory at a time. */
const rowGroupSize = 122_880;
/** Different values that a row group keeps in a dictionary: items, so that readers decode each once, but not times. */
const dictionarySize = 32_768;

/** The columns of items when there is no metadata. */
const unknownItems = new Map(Object.entries(canonicalKinds.items).map(([name, kind]) => [name, nothing(kind)]));

/**
 * A preparation in DuckDB.
 *
 * The relations follow one another: `raw_events` (all rows), `sorted_events` (the usable ones in their last order, ids as
 * numbers where they are plain numbers; duplicates and what the filter drops are deleted from it), `known_items` (the
 * items of these); `raw_items`, `usable_items`, `good_items` (without duplicates).
 */
export class DuckDbSession implements TableSession {
  private events: StagedTable | undefined;
  private items: StagedTable | undefined;
  private thresholds: Thresholds = { user: 1, item: 1 };
  /** Rows of `sorted_events` before anything was deleted. */
  private sorted = 0;

  constructor(
    private readonly connection: Connection,
    private readonly settings: TableSettings,
  ) {}

  async stageEvents(table: RawTable<EventColumns>, limits: TableLimits): Promise<StageReport> {
    this.events = await stage(this.connection, 'events', table, limits, this.telling('read events'));
    const { columns, numbers, report } = this.events;
    const held = [...columns].flatMap(([name, { absent }]) => (absent ? [] : [name]));
    const user = numbers.has('user') ? 'user' : 'strlen(user), user';
    const position = report.rows < 2 ** 32 ? `${added.position}::UINTEGER` : added.position;
    // Bytes that are moved are what sorting costs: ids stay numbers, and what the source does not have stays out.
    const { Count: sorted } = await this.connection.one(
      `CREATE TABLE sorted_events AS SELECT ${held.map(identifier).join(', ')}
       FROM (${usableSelect('events', columns, numbers)}) ORDER BY ${user}, "time", ${position}`,
      this.telling('sort events'),
    );
    this.sorted = Number(sorted);
    await dropStaged(this.connection, 'events');
    const duplicates = limits.duplicates === 'drop' ? await dropDuplicateEvents(this.connection, held) : 0;
    return { ...report, duplicates };
  }

  async stageItems(table: RawTable<ItemColumns>, limits: TableLimits): Promise<StageReport> {
    this.items = await stage(this.connection, 'items', table, limits, this.telling('read items'));
    const { columns, report } = this.items;
    await this.connection.run(`CREATE VIEW usable_items AS ${usableSelect('items', columns, new Map())}`);
    const duplicates = await dropDuplicateItems(this.connection);
    return { ...report, duplicates };
  }

  async filter(thresholds: Thresholds): Promise<FilterReport> {
    this.staged();
    this.thresholds = thresholds;
    return await filterEvents(this.connection, thresholds, this.telling('filter'));
  }

  async writeEvents(path: string): Promise<WriteReport> {
    const { columns } = this.staged();
    const values = [...columns].map(([name, { absent, type, value }]) =>
      absent ? `${value} AS ${identifier(name)}` : `${identifier(name)}::${type} AS ${identifier(name)}`,
    );
    const { n } = await this.connection.one('SELECT count(*) AS n FROM sorted_events');
    // Where rows were deleted, one thread would cut the table into other row groups than several.
    const order = Number(n) < this.sorted ? 'ORDER BY rowid' : '';
    return await this.write('events', `SELECT ${values.join(', ')} FROM sorted_events ${order}`, path, columns);
  }

  async writeItems(path: string): Promise<WriteReport & ItemReport> {
    this.staged();
    const columns = this.items?.columns ?? unknownItems;
    const described = this.items === undefined ? '(SELECT NULL::VARCHAR AS item WHERE false)' : 'good_items';
    const join = this.thresholds.item > 1 ? 'RIGHT JOIN' : 'FULL JOIN';
    const values = [...columns].map(([name, { absent, type, value: none }]) => {
      if (name === 'item') return 'coalesce(described.item, known.item) AS item';
      const value = absent ? none : `described.${identifier(name)}`;
      return `${type.endsWith('[]') ? `coalesce(${value}, [])` : value} AS ${identifier(name)}`;
    });
    const select = `SELECT ${values.join(', ')} FROM ${described} AS described
      ${join} (SELECT item::VARCHAR AS item FROM known_items) AS known USING (item)
      ORDER BY strlen(item), item`;
    const report = await this.write('items', select, path, columns);
    const { n } = await this.connection.one(
      `SELECT count(*) AS n FROM known_items WHERE item::VARCHAR NOT IN (SELECT item FROM ${described})`,
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
    columns: ReadonlyMap<string, ColumnSql>,
  ): Promise<WriteReport> {
    const { Count: rows } = await this.connection.one(
      `COPY (${select}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE ${rowGroupSize}, DICTIONARY_SIZE_LIMIT ${dictionarySize})`,
      this.telling(`write ${table}`),
    );
    return { rows: Number(rows), columns: Object.fromEntries([...columns].map(([name, { type }]) => [name, type])) };
  }
}
