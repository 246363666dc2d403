import { open } from 'node:fs/promises';
import type { BadRow, StageReport, TableName } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { badRowCount } from './manifest.js';

const percent = (share: number) => `${(100 * share).toFixed(share < 0.001 ? 3 : 2)} %`;

/** Bad rows by reason, as people read it: `12 time-missing, 3 unreadable-row`. */
export const describeBadRows = (bad: StageReport['bad']): string =>
  Object.entries(bad)
    .map(([reason, n]) => `${n} ${reason}`)
    .join(', ');

/**
 * Asserts that no more rows than allowed are bad.
 *
 * @param maxShare Share of all rows, 0 to 1.
 * @throws UserLlmError `too-many-bad-rows`, which names the reasons and the first rows.
 */
export function assertFewBadRows(table: TableName, { rows, bad, badRows }: StageReport, maxShare: number): void {
  const count = badRowCount(bad);
  if (count === 0 || count <= rows * maxShare) return;
  const examples = badRows
    .slice(0, 3)
    .map(({ file, row, reason, excerpt }) => `\n  ${file} row ${row}, ${reason}: ${excerpt}`)
    .join('');
  throw new UserLlmError('too-many-bad-rows', {
    what: `Raw rows of ${table}`,
    expected: `at most ${percent(maxShare)} bad rows`,
    got: `${count} of ${rows} (${percent(count / rows)}): ${describeBadRows(bad)}${examples}\n`,
    mend: 'Check the files and the columns, or allow more (--max-bad-rows 0.05).',
  });
}

/** Writes the listed bad rows, one JSON object a line. */
export async function writeBadRows(path: string, rows: readonly BadRow[]): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  } finally {
    await handle.close();
  }
}
