import type { EventColumns, ItemColumns, RawTable } from './dataset-source.js';

/** Which of the two canonical tables. */
export type TableName = 'events' | 'items';

/** Why a raw row cannot become an event or item. */
export type BadRowReason =
  /** Not a row of its format: too few or many fields, an open quote, no JSON object. */
  | 'unreadable-row'
  | 'user-missing'
  | 'item-missing'
  | 'time-missing'
  /** Not a number, or not a date. */
  | 'time-unreadable'
  /** Outside of `TableLimits`. */
  | 'time-out-of-range'
  /** A number column, such as the rating, that holds something else. */
  | 'number-unreadable';

/** A raw row that cannot be used, as listed for the user. */
export interface BadRow {
  readonly table: TableName;
  /** Path of the raw file, as `RawTable` named it. */
  readonly file: string;
  /** Which row of the file, from 1, a header not counted. */
  readonly row: number;
  readonly reason: BadRowReason;
  /** The row's beginning. */
  readonly excerpt: string;
}

/** What reading one raw table found. */
export interface StageReport {
  /** All rows of the raw files, bad ones too. */
  readonly rows: number;
  readonly bad: Readonly<Partial<Record<BadRowReason, number>>>;
  /** The first bad rows, at most `TableLimits.listedBadRows`. */
  readonly badRows: readonly BadRow[];
  /** Rows equal to an earlier row in every column (events), or of an item already described (items), when dropped. */
  readonly duplicates: number;
}

/** What counts as a usable row. */
export interface TableLimits {
  /** Earliest time of an event, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly earliest: number;
  /** First moment that is too late, in the same unit. */
  readonly latest: number;
  readonly duplicates: 'drop' | 'keep';
  readonly listedBadRows: number;
}

/** Fewest events that a user and an item must have to stay, both counted among what stays. */
export interface Thresholds {
  readonly user: number;
  readonly item: number;
}

/** What filtering left. */
export interface FilterReport {
  readonly events: number;
  readonly users: number;
  /** Items with events. */
  readonly items: number;
  /** Times of the first and the last event, in milliseconds since 1970-01-01T00:00:00Z; absent without events. */
  readonly time?: { readonly first: number; readonly last: number };
  /** How many times users and items were counted until nothing more fell out. */
  readonly rounds: number;
}

/** What is known of the table of items after the events are final. */
export interface ItemReport {
  readonly items: number;
  /** Items that have events but no row of metadata. */
  readonly withoutMetadata: number;
}

/** What was written to a Parquet file. */
export interface WriteReport {
  readonly rows: number;
  /** Physical and logical type of each column, such as `VARCHAR`, `BIGINT`, `DOUBLE`, `VARCHAR[]`, in file order. */
  readonly columns: Readonly<Record<string, string>>;
}

/** How far a long step is. */
export interface TableProgress {
  readonly step: 'read events' | 'sort events' | 'read items' | 'filter' | 'write events' | 'write items';
  /** 0 to 1, where the engine knows. */
  readonly fraction?: number;
}

/** What an engine may use. */
export interface TableSettings {
  /** An empty folder of the session's own for what does not fit in memory. */
  readonly scratch: string;
  /** Bytes of memory the engine may take. */
  readonly memoryLimit: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  onProgress?(progress: TableProgress): void;
}

/**
 * One preparation in progress: `stageEvents`, `stageItems` when there is metadata, `filter`, then the two writes.
 *
 * What it writes is the same for the same input, whatever the memory limit, the number of threads and the engine:
 * events stand by user (shorter ids first, then by bytes, so that numbers stand as numbers), time, raw file, raw row;
 * items by the same order of ids. Everything works out of core.
 */
export interface TableSession {
  stageEvents(table: RawTable<EventColumns>, limits: TableLimits): Promise<StageReport>;
  stageItems(table: RawTable<ItemColumns>, limits: TableLimits): Promise<StageReport>;
  /** Drops users and items below the thresholds until none is; `{ user: 1, item: 1 }` keeps all. */
  filter(thresholds: Thresholds): Promise<FilterReport>;
  /** Writes `user, item, time` and the columns staged beside them. */
  writeEvents(path: string): Promise<WriteReport>;
  /** Writes a row for every item with metadata or events; with an item threshold above 1 only those with events. */
  writeItems(path: string): Promise<WriteReport & ItemReport>;
  /** Ends the session and frees what it took, also after an error. */
  close(): Promise<void>;
}

/** An engine that turns raw tables into canonical Parquet. */
export interface TableEngine {
  /** Name users select it by, in kebab case: `duckdb`. */
  readonly name: string;
  /** Name and version of the software underneath, for the manifest. */
  version(): Promise<string>;
  open(settings: TableSettings): Promise<TableSession>;
}
