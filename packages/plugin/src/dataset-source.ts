/** One or several names of raw columns, or of paths of keys as `details.brand` in JSON lines: the first that has a value counts. */
export type RawColumn = string | readonly string[];

/** Text as it stands; an empty one is none. Several texts (a list) are joined by `join`, a space when absent. */
export interface TextColumn {
  readonly kind: 'text';
  readonly from: RawColumn;
  readonly join?: string;
}

/** A finite number; an empty one is none. */
export interface NumberColumn {
  readonly kind: 'number';
  readonly from: RawColumn;
  /** What to make of something else: a bad row (when absent), or none, for prices such as `$1,299.00` among other text. */
  readonly unreadable?: 'bad-row' | 'none';
}

/** `true` or `false` (also 1, 0, t, f, yes, no). */
export interface BooleanColumn {
  readonly kind: 'boolean';
  readonly from: RawColumn;
}

/** A moment: a number of units since 1970-01-01T00:00:00Z, or an ISO 8601 text (UTC where it names no zone). */
export interface TimeColumn {
  readonly kind: 'time';
  readonly from: RawColumn;
  readonly unit: 'seconds' | 'milliseconds' | 'microseconds' | 'iso';
}

/** Several texts in their order, each once: a list (of lists), or one text that `separator` divides. */
export interface TextsColumn {
  readonly kind: 'texts';
  readonly from: RawColumn;
  readonly separator?: string;
  /** Texts that mean nothing, such as `(no genres listed)`. */
  readonly omit?: readonly string[];
  /** Leading entries of each list to leave out where more follow, such as the department that all items share. */
  readonly skip?: number;
}

/** How a column of canonical events or items is made of raw columns. */
export type Column = TextColumn | NumberColumn | BooleanColumn | TimeColumn | TextsColumn;

/** The columns of canonical events; more may follow under names of the source's own (lower snake case). */
export interface EventColumns {
  readonly user: TextColumn;
  readonly item: TextColumn;
  readonly time: TimeColumn;
  readonly rating?: NumberColumn;
  readonly text?: TextColumn;
  readonly summary?: TextColumn;
  readonly [extra: string]: Column | undefined;
}

/** The columns of canonical items; more may follow under names of the source's own (lower snake case). */
export interface ItemColumns {
  readonly item: TextColumn;
  readonly title?: TextColumn;
  readonly categories?: TextsColumn;
  readonly description?: TextColumn;
  readonly [extra: string]: Column | undefined;
}

/** Separated values; `.gz` files are decompressed. */
export interface SeparatedFormat {
  readonly kind: 'csv';
  /** One to four characters; a comma when absent. */
  readonly separator?: string;
  /** Whether fields may stand in double quotes; true when absent. */
  readonly quoted?: boolean;
  /** Names of all columns in their order, for files without a header line. */
  readonly names?: readonly string[];
}

/** One JSON object a line; `.gz` files are decompressed. */
export interface JsonLinesFormat {
  readonly kind: 'jsonl';
  /** `python` when lines are literals of Python (single quotes, `None`), as old releases print them. */
  readonly literals?: 'json' | 'python';
}

/** Apache Parquet. */
export interface ParquetFormat {
  readonly kind: 'parquet';
}

/** How raw files are read. */
export type RawFormat = SeparatedFormat | JsonLinesFormat | ParquetFormat;

/** Raw files of one shape: where they are, how they are read, and which columns they give. */
export interface RawTable<Columns> {
  /** Absolute paths or addresses (`s3://`, `https://`), in the order in which their rows count. */
  readonly files: readonly string[];
  readonly format: RawFormat;
  readonly columns: Columns;
}

/** What a source found: events, and what is known of items, if anything. */
export interface RawDataset {
  readonly events: RawTable<EventColumns>;
  readonly items?: RawTable<ItemColumns>;
}

/** What the user pointed at, and the few looks at it that finding out its shape takes. */
export interface DatasetInput {
  /** Absolute path of a file or folder, a glob, or an address, as the user gave it; empty when none was given. */
  readonly path: string;
  /** An empty folder for files that a source makes itself, as of a format that no engine reads; removed in the end. */
  readonly scratch: string;
  /** Absolute paths of the files that `path` means, sorted; a folder means the files right inside it. */
  files(): Promise<readonly string[]>;
  /** The first line of a text file, decompressed, without its end and byte order mark; empty for an empty file. */
  firstLine(file: string): Promise<string>;
}

/**
 * A kind of data set: it knows how its raw files look, and nothing of engines.
 *
 * What it says is data, so that any `TableEngine` can carry it out.
 */
export interface DatasetSource {
  /** Name users select it by, in kebab case: `movielens`. */
  readonly name: string;
  /** What it reads, in a sentence. */
  readonly description: string;
  /** How to cite the data, and on which terms they may be used. */
  readonly citation?: string;
  /** Finds the raw files and says how they are read. Throws `UserLlmError` when they are not this source's. */
  locate(input: DatasetInput): Promise<RawDataset>;
}
