import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { equal } from '../../src/compare.js';
import { zeros } from '../../src/factories.js';
import { SafetensorsFile } from '../../src/safetensors/safetensors-file.js';
import { writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import { temporaryFolder } from '../temporary-folder.js';
import { fileOf } from './hostile-file.js';

const inFolder = temporaryFolder();

/** A file whose first tensor is a hole of `bytes` zeros that take no room, with eight bytes after it. */
async function sparseFile(name: string, bytes: number): Promise<string> {
  const header = JSON.stringify({
    large: { dtype: 'U8', shape: [bytes], data_offsets: [0, bytes] },
    last: { dtype: 'I64', shape: [1], data_offsets: [bytes, bytes + 8] },
  });
  const start = fileOf(header, new Uint8Array(0));
  const path = inFolder(name);
  const file = await open(path, 'w');
  await file.write(start, 0, start.length, 0);
  await file.write(new Uint8Array(new BigInt64Array([42n]).buffer), 0, 8, start.length + bytes);
  await file.close();
  return path;
}

describe('large files', () => {
  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 35])(
    'a tensor after %i bytes is found, and only it is read',
    async (bytes) => {
      const file = await SafetensorsFile.open(await sparseFile(`sparse-${bytes}`, bytes));
      expect(file.entry('last')).toMatchObject({ begin: bytes, end: bytes + 8 });
      expect((await file.read('last')).toArray()).toEqual([42n]);
      await file.close();
    },
  );

  it('a tensor of more than one chunk is read whole', async () => {
    const bytes = 2 ** 26 + 5;
    const path = await sparseFile('chunks', bytes);
    const marks = [0, 2 ** 26 - 1, 2 ** 26, bytes - 1];
    const writer = await open(path, 'r+');
    const { size } = await writer.stat();
    for (const mark of marks) {
      await writer.write(new Uint8Array([1]), 0, 1, size - 8 - bytes + mark);
    }
    await writer.close();
    const file = await SafetensorsFile.open(path);
    const { data } = await file.read('large', { dtype: 'uint8' });
    await file.close();
    expect(marks.map((mark) => data[mark])).toEqual([1, 1, 1, 1]);
    expect(data.reduce((sum, byte) => sum + byte, 0)).toBe(4);
  });

  it('a tensor of more than one chunk is written whole', async () => {
    const written = zeros('uint8', ['byte'], [2 ** 24 + 3]);
    const marks = [0, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 2];
    marks.forEach((mark, index) => (written.data[mark] = index + 1));
    const path = inFolder('written');
    await writeSafetensors(path, [['bytes', written]]);
    const file = await SafetensorsFile.open(path);
    expect(equal(await file.read('bytes', { axes: ['byte'] }), written)).toBe(true);
    await file.close();
  });

  it('a tensor that no memory holds is refused, and the file stays open', async () => {
    const file = await SafetensorsFile.open(await sparseFile('huge', 2 ** 43));
    await expect(file.read('large')).rejects.toMatchObject({ code: 'too-large' });
    expect((await file.read('last')).toArray()).toEqual([42n]);
    await file.close();
  });

  it('a file that is cut while it is open is refused', async () => {
    const path = await sparseFile('cut', 1000);
    const file = await SafetensorsFile.open(path);
    const writer = await open(path, 'r+');
    await writer.truncate(500);
    await writer.close();
    await expect(file.read('large')).rejects.toMatchObject({ code: 'bad-safetensors' });
    await file.close();
  });
});
