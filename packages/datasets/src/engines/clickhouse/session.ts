import { randomBytes } from 'node:crypto';
import type {
  Column,
  EventColumns,
  FilterReport,
  ItemColumns,
  ItemReport,
  RawTable,
  StageReport,
  TableLimits,
  TableProgress,
  TableSession,
  TableSettings,
  Thresholds,
  WriteReport,
} from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { canonicalKinds, canonicalTypes } from '../canonical-columns.js';
import { added } from '../sql.js';
import type { ClickHouse, ClickHouseRow } from './clickhouse.js';
import { identifier, text } from './raw-value.js';
import { nothing, stage, type StagedTable } from './stage.js';

/**
 * A preparation in ClickHouse, in a database of its own.
 *
 * The relations follow one another: `raw_events` (all rows), `good_events` (usable ones without duplicates), `kept_events`
 * (what the filter leaves); `raw_items`, `good_items`.
 */
export class ClickHouseSession implements TableSession {
  private events: StagedTable | undefined;
  private items: StagedTable | undefined;
  private thresholds: Thresholds = { user: 1, item: 1 };

  private constructor(
    private readonly connection: ClickHouse,
    private readonly settings: TableSettings,
    private readonly database: string,
  ) {}

  /** Makes the database. */
  static async open(connection: ClickHouse, settings: TableSettings): Promise<ClickHouseSession> {
    const database = `user_llm_${randomBytes(8).toString('hex')}`;
    await connection.run(`CREATE DATABASE ${database}`);
    return new ClickHouseSession(connection, settings, database);
  }

  async stageEvents(table: RawTable<EventColumns>, limits: TableLimits): Promise<StageReport> {
    this.begin('read events');
    this.events = await stage(this.connection, this.in('raw_events'), 'events', table, limits);
    return { ...this.events.report, duplicates: await this.dropDuplicateEvents(this.events, limits.duplicates) };
  }

  async stageItems(table: RawTable<ItemColumns>, limits: TableLimits): Promise<StageReport> {
    this.begin('read items');
    this.items = await stage(this.connection, this.in('raw_items'), 'items', table, limits);
    const usable = `${this.in('raw_items')} WHERE isNull(${added.reason})`;
    const first = `SELECT min(${added.position}) FROM ${usable} GROUP BY item`;
    await this.run(
      `CREATE VIEW ${this.in('good_items')} AS SELECT * FROM ${usable} AND ${added.position} IN (${first})`,
    );
    const { repeated } = await this.one(`SELECT count() - uniqExact(item) AS repeated FROM ${usable}`);
    return { ...this.items.report, duplicates: Number(repeated) };
  }

  async filter(thresholds: Thresholds): Promise<FilterReport> {
    this.staged();
    this.begin('filter');
    this.thresholds = thresholds;
    const rounds = await this.shrink(thresholds);
    const found = await this.one(
      `SELECT count() AS events, uniqExact(user) AS users, uniqExact(item) AS items, min("time") AS first, max("time") AS last
       FROM ${this.in('kept_events')}`,
    );
    const events = Number(found['events']);
    return {
      events,
      users: Number(found['users']),
      items: Number(found['items']),
      rounds,
      ...(events > 0 && { time: { first: Number(found['first']), last: Number(found['last']) } }),
    };
  }

  async writeEvents(path: string): Promise<WriteReport> {
    const { columns } = this.staged();
    this.begin('write events');
    const names = [...columns.keys()].map(identifier).join(', ');
    const events = this.in('kept_events');
    await this.run(
      `INSERT INTO FUNCTION file(${text(path)}, 'Parquet') SELECT ${names} FROM ${events}
       ORDER BY length(user), user, "time", ${added.position}`,
    );
    return { rows: await this.count(events), columns: describe(columns) };
  }

  async writeItems(path: string): Promise<WriteReport & ItemReport> {
    this.staged();
    this.begin('write items');
    const columns: ReadonlyMap<string, Column['kind']> =
      this.items?.columns ?? new Map(Object.entries(canonicalKinds.items));
    const taken = `(SELECT DISTINCT item FROM ${this.in('kept_events')})`;
    const described =
      this.items === undefined ? `(SELECT CAST(NULL, 'Nullable(String)') AS item WHERE false)` : this.in('good_items');
    const join = this.thresholds.item > 1 ? 'RIGHT JOIN' : 'FULL JOIN';
    const values = [...columns].map(([name, kind]) => {
      if (name === 'item') return 'coalesce(described.item, taken.item) AS item';
      return `${this.items === undefined ? nothing(kind) : `described.${identifier(name)}`} AS ${identifier(name)}`;
    });
    await this.run(
      `INSERT INTO FUNCTION file(${text(path)}, 'Parquet') SELECT * FROM (SELECT ${values.join(', ')}
       FROM ${described} AS described ${join} ${taken} AS taken ON described.item = taken.item) ORDER BY length(item), item`,
    );
    const written = await this.count(`file(${text(path)}, 'Parquet')`);
    const { n } = await this.one(`SELECT count() AS n FROM ${taken} WHERE item NOT IN (SELECT item FROM ${described})`);
    return { rows: written, columns: describe(columns), items: written, withoutMetadata: Number(n) };
  }

  async close(): Promise<void> {
    try {
      await this.connection.run(`DROP DATABASE IF EXISTS ${this.database} SYNC`);
    } finally {
      await this.connection.close();
    }
  }

  /** Makes `good_events`; returns how many rows equal an earlier one in every column. */
  private async dropDuplicateEvents({ columns }: StagedTable, duplicates: 'drop' | 'keep'): Promise<number> {
    const usable = `${this.in('raw_events')} WHERE isNull(${added.reason})`;
    const all = `CREATE VIEW ${this.in('good_events')} AS SELECT * FROM ${usable}`;
    if (duplicates === 'keep') {
      await this.run(all);
      return 0;
    }
    const names = [...columns.keys()].map(identifier).join(', ');
    // Rows whose hash occurs once cannot be duplicates: only the others are compared.
    const hash = `cityHash64(${[...columns.keys()].map((name) => `ifNull(toString(${identifier(name)}), '')`).join(', ')})`;
    const repeated = this.in('duplicate_positions');
    await this.run(
      `CREATE TABLE ${repeated} ENGINE = MergeTree ORDER BY ${added.position} AS SELECT ${added.position} FROM (
         SELECT ${added.position}, row_number() OVER (PARTITION BY ${names} ORDER BY ${added.position}) AS "~nth" FROM ${usable}
         AND ${hash} IN (SELECT ${hash} AS "~hash" FROM ${usable} GROUP BY "~hash" HAVING count() > 1)) WHERE "~nth" > 1`,
    );
    await this.run(`${all} AND ${added.position} NOT IN (SELECT ${added.position} FROM ${repeated})`);
    return await this.count(repeated);
  }

  /** Makes `kept_events` over the users and items that are left; returns how often they were counted. */
  private async shrink({ user, item }: Thresholds): Promise<number> {
    const [good, kept] = [this.in('good_events'), this.in('kept_events')];
    if (user <= 1 && item <= 1) {
      await this.run(`CREATE VIEW ${kept} AS SELECT * FROM ${good}`);
      return 0;
    }
    const table = (id: 'user' | 'item', round: number) => this.in(`kept_${id}s_${round}`);
    const keep = async (id: 'user' | 'item', least: number, from: string, round: number): Promise<number> => {
      await this.run(
        `CREATE TABLE ${table(id, round)} ENGINE = MergeTree ORDER BY ${id} AS
         SELECT assumeNotNull(${id}) AS ${id} FROM ${from} GROUP BY ${id} HAVING count() >= ${least}`,
      );
      return await this.count(table(id, round));
    };
    const byUser = (round: number) => `${good} WHERE user IN (SELECT user FROM ${table('user', round)})`;
    let left = await keep('user', user, good, 1);
    if (item <= 1) {
      await this.run(`CREATE VIEW ${kept} AS SELECT * FROM ${byUser(1)}`);
      return 1;
    }
    left += await keep('item', item, byUser(1), 1);
    for (let round = 2; ; round++) {
      const before = `item IN (SELECT item FROM ${table('item', round - 1)})`;
      const users = await keep('user', user, `${byUser(round - 1)} AND ${before}`, round);
      const items = await keep('item', item, `${byUser(round)} AND ${before}`, round);
      if (users + items === left) {
        const both = `${byUser(round)} AND item IN (SELECT item FROM ${table('item', round)})`;
        await this.run(`CREATE VIEW ${kept} AS SELECT * FROM ${both}`);
        return round;
      }
      left = users + items;
    }
  }

  private in(name: string): string {
    return `${this.database}.${name}`;
  }

  private staged(): StagedTable {
    if (this.events !== undefined) return this.events;
    throw new UserLlmError('out-of-order', { what: 'Table session', expected: 'stageEvents before this step' });
  }

  private begin(step: TableProgress['step']): void {
    this.settings.onProgress?.({ step });
  }

  private async run(sql: string): Promise<readonly ClickHouseRow[]> {
    this.settings.signal?.throwIfAborted();
    return await this.connection.run(sql);
  }

  private async one(sql: string): Promise<ClickHouseRow> {
    const [row] = await this.run(sql);
    return row ?? {};
  }

  private async count(relation: string): Promise<number> {
    return Number((await this.one(`SELECT count() AS n FROM ${relation}`))['n']);
  }
}

const describe = (columns: ReadonlyMap<string, Column['kind']>): Record<string, string> =>
  Object.fromEntries([...columns].map(([name, kind]) => [name, canonicalTypes[kind]]));
