import { basename, join } from 'node:path';
import type { Column, RawTable, TableName } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { inspectFile } from '../files/inspect.js';
import { normalizeFile, type Normalization } from '../files/normalize.js';
import { isAddress, isGzip } from '../files/read-bytes.js';
import { assertColumnNames } from './column-names.js';
import { assertHeader } from './header-check.js';
import type { DatasetManifest } from './manifest.js';

type Raw<Columns> = RawTable<Columns>;
type Inputs = DatasetManifest['inputs'];

/** A raw table that an engine can read as it is. */
export interface CheckedTable<Columns> {
  readonly table: Raw<Columns>;
  /** What the manifest says of its files. */
  readonly inputs: Inputs;
  /** The raw file that a file of `table` was made of, for messages. */
  original(file: string): string;
}

/**
 * Checks the files of a raw table, whole, before an engine reads them, and rewrites those in other encodings or
 * notations aside.
 *
 * @param scratch Folder for what is rewritten.
 * @throws UserLlmError `no-files`, `bad-columns`, `empty-file`, `truncated-gzip`, `bad-gzip`, `bad-header`, `file-not-found`,
 *   `file-not-readable`.
 */
export async function checkFiles<Columns extends Readonly<Record<string, Column | undefined>>>(
  name: TableName,
  table: Raw<Columns>,
  scratch: string,
  { signal, onBytes }: { readonly signal?: AbortSignal | undefined; onBytes?(bytes: number): void },
): Promise<CheckedTable<Columns>> {
  if (table.files.length === 0) {
    throw new UserLlmError('no-files', { what: `Raw files of ${name}`, expected: 'at least one', got: 'none' });
  }
  assertColumnNames(name, Object.keys(table.columns));
  const { format } = table;
  const text = format.kind !== 'parquet';
  const python = format.kind === 'jsonl' && format.literals === 'python';
  const originals = new Map<string, string>();
  const inputs: Inputs = [];
  const files: string[] = [];
  for (const [index, file] of table.files.entries()) {
    const facts = await inspectFile(file, { text, signal, ...(onBytes && { onBytes }) });
    if (format.kind === 'csv' && !isAddress(file)) await assertHeader(file, format, table.columns);
    let changes: Normalization | undefined;
    let readable = file;
    if (facts?.encoding !== undefined && (facts.encoding !== 'utf-8' || python)) {
      readable = join(scratch, `${name}-${index}-${basename(file, isGzip(file) ? '.gz' : '')}`);
      changes = await normalizeFile(file, readable, { encoding: facts.encoding, python });
    }
    files.push(readable);
    originals.set(readable, file);
    inputs.push({
      table: name,
      file: isAddress(file) ? withoutQuery(file) : basename(file),
      ...facts,
      ...(changes && changes.windows1252Lines > 0 && { windows1252Lines: changes.windows1252Lines }),
      ...(changes && changes.pythonLines > 0 && { pythonLines: changes.pythonLines }),
    });
  }
  const plain = python ? { ...table, format: { kind: 'jsonl' as const } } : table;
  return { table: { ...plain, files }, inputs, original: (file) => originals.get(file) ?? file };
}

/** An address without what may be a secret. */
function withoutQuery(address: string): string {
  return address.replace(/[?#].*$/, '').replace(/\/\/[^/@]*@/, '//');
}
