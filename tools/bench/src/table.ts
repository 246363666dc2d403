import type { Cell } from './benchmark.js';

/**
 * Rows as an aligned text table: names to the left, figures to the right with four significant digits, `-` where a row
 * has no value for a column.
 *
 * @param rows The columns are the keys, in the order in which they first occur.
 */
export function formatTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => formatCell(row[column])))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] !== 'string'));
  return lines
    .map((line) =>
      line
        .map((text, at) => (numeric[at] ? text.padStart(widths[at]!) : text.padEnd(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatCell(cell: Cell): string {
  if (cell === undefined) return '-';
  return typeof cell === 'number' ? String(Number(cell.toPrecision(4))) : cell;
}
