import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  decodeSafetensors,
  encodeSafetensors,
  equal,
  SafetensorsFile,
  tensor,
  writeSafetensors,
} from '../../src/index.js';
import { temporaryFolder } from '../temporary-folder.js';

const tensors = {
  a: tensor(
    'float32',
    ['row', 'column'],
    [
      [1, -0],
      [NaN, 3],
    ],
  ),
  b: tensor('bool', ['row'], [true, false, true]),
  c: tensor('int32', ['row'], []),
};

const inFolder = temporaryFolder();

it('bytes in memory are those of a file', async () => {
  const path = inFolder('x.safetensors');
  await writeSafetensors(path, Object.entries(tensors), { note: 'é' });
  expect(Buffer.from(await encodeSafetensors(tensors, { note: 'é' }))).toEqual(await readFile(path));
  await writeFile(path, await encodeSafetensors(tensors));
  const file = await SafetensorsFile.open(path);
  expect(file.names.toSorted()).toEqual(['a', 'b', 'c']);
  await file.close();
});

it('gives back what it was given, from any address', async () => {
  const bytes = await encodeSafetensors(tensors, { note: 'x' });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const axes = Object.fromEntries(Object.entries(tensors).map(([name, given]) => [name, given.axes]));
  const { tensors: read, metadata } = decodeSafetensors(shifted.subarray(1), axes);
  for (const [name, given] of Object.entries(tensors)) expect(equal(read.get(name)!, given as never), name).toBe(true);
  expect([...metadata]).toEqual([['note', 'x']]);
});

it('refuses bytes that are cut short or changed', async () => {
  const bytes = await encodeSafetensors(tensors);
  expect(() => decodeSafetensors(bytes.subarray(0, -1))).toThrow('bytes after the header');
  expect(() => decodeSafetensors(bytes.subarray(0, 4))).toThrow('at least 8 bytes');
  expect(() => decodeSafetensors(bytes, { a: ['row'] })).toThrow('axes');
  bytes[bytes.length - 1] = 7;
  expect(() => decodeSafetensors(bytes)).toThrow('bytes 0 and 1');
});
