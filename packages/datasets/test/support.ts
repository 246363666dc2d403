import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance, type Json } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import { openDataset } from '../src/index.js';

/** Where the real slices are. */
export const realData =
  process.env['USER_LLM_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));

/** A folder of the test's own. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'user-llm-datasets-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Raw files in a folder of the test's own, and where to put the data set that is made of them. */
export function rawFiles(files: Readonly<Record<string, string | Uint8Array>>): { input: string; output: string } {
  const folder = testFolder();
  const input = join(folder, 'raw');
  mkdirSync(input);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(input, name), content);
  return { input, output: join(folder, 'data') };
}

/** The rows of a table of a prepared data set; 64-bit integers are strings. */
export async function rowsOf(folder: string, table: 'events' | 'items'): Promise<Record<string, Json>[]> {
  const { paths } = await openDataset(folder);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${paths[table]}')`);
    return reader.getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
