import type { TableName } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { canonicalKinds } from '../engines/canonical-columns.js';

/** A letter or an underscore first: engines have columns of their own that begin with other characters. */
const usable = /^[\p{L}_][^\p{Cc}]*$/u;
/** What DuckDB calls the number of a row. */
const reserved = 'rowid';

/**
 * Asserts that canonical columns can stand beside each other in a table of any engine.
 *
 * @throws UserLlmError `bad-columns` when a name begins with something else than a letter or an underscore, is reserved, or
 *   differs from another by case alone.
 */
export function assertColumnNames(table: TableName, names: readonly string[]): void {
  const taken = new Map<string, string>();
  for (const name of new Set([...Object.keys(canonicalKinds[table]), ...names])) {
    const folded = name.toLowerCase();
    const other = taken.get(folded);
    if (usable.test(name) && folded !== reserved && other === undefined) {
      taken.set(folded, name);
      continue;
    }
    throw new UserLlmError('bad-columns', {
      what: `Columns of ${table}`,
      expected: `names that begin with a letter or an underscore, differ by more than case, and are not "${reserved}"`,
      got: other === undefined ? JSON.stringify(name) : `${JSON.stringify(name)} and ${JSON.stringify(other)}`,
      mend: 'Give the column another canonical name; the raw file keeps its own.',
    });
  }
}
