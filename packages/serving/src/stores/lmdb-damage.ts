import { execFile } from 'node:child_process';
import { open, type FileHandle } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Where the fields of a meta page are, in bytes from the page's start, on processors of 64 bits. */
const meta = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152, end: 160 } as const;
const magic = 0xbeefc0de;
const dataVersion = 2;

/**
 * Looks for damage that would end the process once LMDB reads the file: bytes that are none of LMDB's, or pages that are
 * missing at the end.
 *
 * @param folder Of the database, which need not be there.
 * @returns What is wrong; nothing when the file is whole, empty, or not there.
 */
export async function lmdbDamage(folder: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(join(folder, 'data.mdb'));
  } catch {
    // LMDB makes the file, or says why it cannot.
    return undefined;
  }
  try {
    const { size } = await file.stat();
    if (size === 0) return undefined;
    const needed = await neededBytes(file);
    if (needed === undefined) return "a data.mdb that is not LMDB's";
    // LMDB does not write the last pages while they are free, so a file may be shorter and whole.
    if (size >= needed || (await canBeRead(folder))) return undefined;
    return `a data.mdb of ${size} bytes, without pages that it needs of up to ${needed}`;
  } finally {
    await file.close();
  }
}

/** Bytes up to the last page that the newer of the two meta pages knows of; nothing when these are none. */
async function neededBytes(file: FileHandle): Promise<number | undefined> {
  const first = await metaAt(file, 0);
  const second = first && (await metaAt(file, first.pageSize));
  if (!second) return undefined;
  const { lastPage, pageSize } = second.transaction > first.transaction ? second : first;
  return (Number(lastPage) + 1) * pageSize;
}

async function metaAt(file: FileHandle, position: number) {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(meta.end), 0, meta.end, position);
  if (bytesRead < meta.end || buffer.readUInt32LE(meta.magic) !== magic) return undefined;
  if (buffer.readUInt16LE(meta.version) !== dataVersion) return undefined;
  return {
    pageSize: buffer.readUInt32LE(meta.pageSize),
    lastPage: buffer.readBigUInt64LE(meta.lastPage),
    transaction: buffer.readBigUInt64LE(meta.transaction),
  };
}

/** Whether every record can be read, tried in a process of its own: a missing page ends the process that reads it. */
function canBeRead(folder: string): Promise<boolean> {
  const script = `
    const database = require(process.argv[1]).open({ path: process.argv[2], encoding: 'binary', readOnly: true });
    for (const { value } of database.getRange()) value.length;`;
  const lmdb = createRequire(import.meta.url).resolve('lmdb');
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script, lmdb, folder], (error) => resolve(error === null));
  });
}
