/** A string as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The names of a raw column as a list, whether one or several were given. */
export const alternatives = (from: string | readonly string[]): readonly string[] =>
  typeof from === 'string' ? [from] : from;
