import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { UserLlmError } from '@user-llm/tensor';
import type { DecodedArray, ParquetScan } from 'hyparquet';
import { contentHash } from './hash.js';

/** A Parquet file, open for reading columns of ranges of its rows. */
export interface ParquetTable {
  readonly path: string;
  /** SHA-256 of its metadata, statistics of the columns included: files with other content have another one. */
  readonly fingerprint: string;
  readonly rows: number;
  readonly columns: ReadonlySet<string>;
  /** Ranges of rows that are stored together: the cheapest to read. */
  readonly ranges: readonly { readonly rowStart: number; readonly rowEnd: number }[];
  /** Reads one column of rows within one of `ranges`. */
  read(column: string, rowStart: number, rowEnd: number): Promise<DecodedArray>;
}

// DuckDB's default (Snappy) is read by hyparquet itself; Node 20 has no Zstandard.
const compressors = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
};

/**
 * Opens a Parquet file; nothing but its metadata is read.
 *
 * @param wanted Columns it must have.
 * @throws UserLlmError `no-parquet` when it is missing or no Parquet file, `missing-column` when a column is.
 */
export async function openParquet(path: string, wanted: readonly string[]): Promise<ParquetTable> {
  const { asyncBufferFromFile, parquetScan } = await import('hyparquet');
  let scan: ParquetScan;
  try {
    scan = await parquetScan({ file: await asyncBufferFromFile(path), compressors });
  } catch (cause) {
    throw new UserLlmError('no-parquet', {
      what: path,
      expected: 'a Parquet file',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Prepare the data set first, or correct the path.',
      cause,
    });
  }
  const { schema, num_rows: rows } = scan.metadata;
  const columns = new Set(childNames(schema));
  const missing = wanted.find((column) => !columns.has(column));
  if (missing !== undefined) {
    throw new UserLlmError('missing-column', {
      what: path,
      expected: `a column "${missing}"`,
      got: [...columns].join(', '),
      mend: 'Map the column when preparing the data set, or take the feature that reads it out of the schema.',
    });
  }
  return {
    path,
    fingerprint: contentHash(scan.metadata),
    rows: Number(rows),
    columns,
    ranges: scan.ranges,
    read: (column, rowStart, rowEnd) => readColumn(scan, path, { column, rowStart, rowEnd }),
  };
}

/** Ranges of at most `length` rows that cover `start .. end`, none of them across two stored ranges. */
export function* rowRanges(
  table: ParquetTable,
  start: number,
  end: number,
  length: number,
): Generator<{ readonly rowStart: number; readonly rowEnd: number }> {
  for (const range of table.ranges) {
    const last = Math.min(range.rowEnd, end);
    for (let rowStart = Math.max(range.rowStart, start); rowStart < last; rowStart += length) {
      yield { rowStart, rowEnd: Math.min(rowStart + length, last) };
    }
  }
}

async function readColumn(
  scan: ParquetScan,
  path: string,
  place: { column: string; rowStart: number; rowEnd: number },
): Promise<DecodedArray> {
  try {
    return await scan.readColumn(place);
  } catch (cause) {
    throw new UserLlmError('bad-parquet', {
      what: `${path}, column ${place.column}, rows ${place.rowStart} to ${place.rowEnd}`,
      expected: 'pages that can be decoded (Snappy, gzip, Brotli or no compression)',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Prepare the data set again.',
      cause,
    });
  }
}

/** Names of the columns at the top level of a Parquet schema, which is a flat list in depth-first order. */
function childNames(schema: readonly { readonly name: string; readonly num_children?: number }[]): string[] {
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]!.name);
  return names;
}
