import type { Column, TableName } from '@user-llm/plugin';

/** The columns that every canonical table has, in their order, with the kind of each. */
export const canonicalKinds = {
  events: { user: 'text', item: 'text', time: 'time', rating: 'number', text: 'text', summary: 'text' },
  items: { item: 'text', title: 'text', categories: 'texts', description: 'text' },
} as const satisfies Record<TableName, Readonly<Record<string, Column['kind']>>>;

/** Ids of a table: trimmed, and never null in a good row. */
export const idColumns = { events: ['user', 'item'], items: ['item'] } as const satisfies Record<
  TableName,
  readonly string[]
>;

/** Type of each kind of column in canonical Parquet, as SQL calls it; a list is never null, but may be empty. */
export const canonicalTypes = {
  text: 'VARCHAR',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
  time: 'BIGINT',
  texts: 'VARCHAR[]',
} as const satisfies Readonly<Record<Column['kind'], string>>;
