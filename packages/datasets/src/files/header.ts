import type { SeparatedFormat } from '@user-llm/plugin';

/** Divides a line of separated values into its fields; quotes around a field go, two inside one are one. */
export function splitSeparated(
  line: string,
  { separator = ',', quoted = true }: Omit<SeparatedFormat, 'kind'>,
): string[] {
  if (!quoted || !line.includes('"')) return line.split(separator);
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length) {
    let end: number;
    if (line[at] === '"') {
      let close = line.indexOf('"', at + 1);
      while (close >= 0 && line[close + 1] === '"') close = line.indexOf('"', close + 2);
      if (close < 0) close = line.length;
      fields.push(line.slice(at + 1, close).replaceAll('""', '"'));
      end = line.indexOf(separator, close);
    } else {
      end = line.indexOf(separator, at);
      fields.push(line.slice(at, end < 0 ? undefined : end));
    }
    if (end < 0) return fields;
    at = end + separator.length;
  }
  return fields;
}

/** The names of the columns that a header line gives. */
export const columnNames = (line: string, format: SeparatedFormat): readonly string[] =>
  splitSeparated(line, format).map((name) => name.trim());
