/** A string as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The names of a raw column as a list, whether one or several were given. */
export const alternatives = (from: string | readonly string[]): readonly string[] =>
  typeof from === 'string' ? [from] : from;

/** Names of columns that the engines add to those of a source, which never begin so (`assertColumnNames`). */
export const added = {
  /** Orders raw rows by file and row. */
  position: identifier('~position'),
  /** Why a raw row cannot be used; null in a usable one. */
  reason: identifier('~reason'),
  /** The beginning of a raw row that cannot be used. */
  excerpt: identifier('~excerpt'),
} as const;
