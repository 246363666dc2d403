import type { Column, SeparatedFormat } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { splitSeparated } from '../files/header.js';
import { firstLine } from '../files/first-line.js';

const separators = [',', ';', '\t', '|', '::'];
const nameOf = (separator: string) => (separator === '\t' ? 'a tab' : `"${separator}"`);

/**
 * Asserts that the first line of a file of separated values has what its columns are made of.
 *
 * @throws UserLlmError `bad-header` or, when another separator would do, `bad-separator`.
 */
export async function assertHeader(
  file: string,
  format: SeparatedFormat,
  columns: Readonly<Record<string, Column | undefined>>,
): Promise<void> {
  const line = await firstLine(file);
  const problem = headerProblem(line, format, columns);
  if (problem === undefined) return;
  const separator = format.separator ?? ',';
  const other = separators.find(
    (one) => one !== separator && headerProblem(line, { ...format, separator: one }, columns) === undefined,
  );
  const got = line.length > 120 ? `${line.slice(0, 120)}...` : line;
  if (other !== undefined) {
    throw new UserLlmError('bad-separator', {
      what: file,
      expected: `fields separated by ${nameOf(separator)}`,
      got: `fields separated by ${nameOf(other)} (${got})`,
      mend: `Convert the file, or read it with --source table --separator '${other === '\t' ? '\\t' : other}'.`,
    });
  }
  throw new UserLlmError('bad-header', {
    what: file,
    expected: problem,
    got: got === '' ? 'an empty line' : got,
    mend: 'Check that this is the right file, and that its first line was not lost.',
  });
}

/** What a first line should have been, or nothing when it is right. */
function headerProblem(
  line: string,
  format: SeparatedFormat,
  columns: Readonly<Record<string, Column | undefined>>,
): string | undefined {
  const fields = splitSeparated(line, format).map((field) => field.trim());
  if (format.names !== undefined) {
    return fields.length === format.names.length
      ? undefined
      : `${format.names.length} fields a line (${format.names.join(format.separator ?? ',')})`;
  }
  const folded = fields.map((field) => field.toLowerCase());
  const twice = fields.find((_, at) => folded.indexOf(folded[at]!) < at);
  if (twice !== undefined) return `a header line whose names differ by more than case ("${twice}" is there twice)`;
  const wanted = Object.values(columns).flatMap((column) => (column === undefined ? [] : [column.from]));
  const isThere = (from: string | readonly string[]) =>
    typeof from === 'string' ? fields.includes(from) : from.every((name) => fields.includes(name));
  if (wanted.every(isThere)) return undefined;
  return `a header line with ${[...new Set(wanted.flat())].join(format.separator ?? ',')}`;
}
