import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserLlmError } from '../../src/errors.js';
import { writeAside, writeFileAtomically, type WritableFiles } from '../../src/files/write-file-atomically.js';
import { temporaryFolder } from '../temporary-folder.js';
import { FailingFiles } from './failing-files.js';

const inFolder = temporaryFolder();
const never = { forGood: false };
const parts = ['first ', new TextEncoder().encode('second '), 'third'];
const whole = 'first second third';

async function oldFile(name: string): Promise<string> {
  const path = inFolder(`${name}/file.txt`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'old');
  return path;
}

describe('writeFileAtomically', () => {
  it('writes texts, bytes and parts of them, over an old file or none', async () => {
    const path = await oldFile('whole');
    await writeFileAtomically(path, 'text \u2603');
    expect(await readFile(path, 'utf8')).toBe('text \u2603');
    await writeFileAtomically(path, new Uint8Array([1, 2, 3]));
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    await writeFileAtomically(path, parts);
    expect(await readFile(path, 'utf8')).toBe(whole);
    await writeFileAtomically(inFolder('whole/new.txt'), '');
    expect(await readdir(dirname(path))).toEqual(['file.txt', 'new.txt']);
  });

  it('goes on after writes that take only a part', async () => {
    const path = await oldFile('parts');
    let taken = '';
    await writeAside(path, parts, {
      open: () =>
        Promise.resolve({
          write: (bytes, from) => {
            taken += String.fromCharCode(bytes[from]!);
            return Promise.resolve({ bytesWritten: 1 });
          },
          sync: () => Promise.resolve(),
          close: () => Promise.resolve(),
        }),
      rename: () => Promise.resolve(),
      unlink: () => Promise.resolve(),
    });
    expect(taken).toBe(whole);
  });

  it('gives up on a file system that takes nothing', async () => {
    const files: WritableFiles = {
      open: () =>
        Promise.resolve({
          write: () => Promise.resolve({ bytesWritten: 0 }),
          sync: () => Promise.resolve(),
          close: () => Promise.resolve(),
        }),
      rename: () => Promise.reject(new Error('renamed what was not written')),
      unlink: () => Promise.resolve(),
    };
    await expect(writeAside('file', 'text', files)).rejects.toThrow(/took none/);
  });

  it('takes names as long as the file system allows', async () => {
    const path = inFolder('\u00e4'.repeat(127));
    await writeFileAtomically(path, 'text');
    expect(await readFile(path, 'utf8')).toBe('text');
  });

  it('with a disk that is full after any number of bytes leaves the old file, and no litter', async () => {
    const path = await oldFile('full');
    for (let afterBytes = 0; afterBytes < whole.length; afterBytes++) {
      const writing = writeAside(path, parts, new FailingFiles({ afterBytes, forGood: false }));
      await expect(writing).rejects.toThrow(/ENOSPC/);
      expect(await readFile(path, 'utf8')).toBe('old');
      expect(await readdir(dirname(path))).toEqual(['file.txt']);
    }
  });

  it('failing at any call leaves the old file or the new one, whole', async () => {
    const counted = new FailingFiles(never);
    await writeAside(await oldFile('counted'), parts, counted);
    expect(counted.calls).toBe(10); // open, 3 writes, sync, close, rename; open, sync, close of the folder
    for (const forGood of [false, true]) {
      for (let atCall = 0; atCall < counted.calls; atCall++) {
        const path = await oldFile(`call-${atCall}-${forGood}`);
        const files = new FailingFiles({ atCall, forGood });
        const error: unknown = await writeAside(path, parts, files).catch((thrown: unknown) => thrown);
        expect(files.openFiles).toBe(0);
        expect(UserLlmError.isInstance(error, 'write-failed')).toBe(true);
        const renamed = atCall > 6;
        expect(await readFile(path, 'utf8')).toBe(renamed ? whole : 'old');
        const litter = (await readdir(dirname(path))).filter((name) => name !== 'file.txt');
        expect(litter.length).toBe(forGood && atCall > 0 && !renamed ? 1 : 0);
      }
    }
  });

  it('passes on what the content throws', async () => {
    const path = await oldFile('thrown');
    const failing = function* () {
      yield 'some';
      throw new RangeError('no more');
    };
    await expect(writeFileAtomically(path, failing())).rejects.toThrow(RangeError);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(dirname(path))).toEqual(['file.txt']);
  });

  it('of several writers at once leaves one, whole', async () => {
    const path = await oldFile('race');
    const texts = Array.from({ length: 8 }, (_, writer) => String(writer).repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomically(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(dirname(path))).toEqual(['file.txt']);
  });

  it('says what the file system said', async () => {
    await expect(writeFileAtomically(inFolder('no/folder/file'), 'text')).rejects.toThrow(
      /writing .*ENOENT.*mend|Mend/i,
    );
  });
});
