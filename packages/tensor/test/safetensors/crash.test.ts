import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { full, tensor, zeros } from '../../src/factories.js';
import { writeAside } from '../../src/files/write-file-atomically.js';
import { safetensorsBytes, writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import type { Tensor } from '../../src/tensor.js';
import { FailingFiles } from '../files/failing-files.js';
import { temporaryFolder } from '../temporary-folder.js';
import { readEverything } from './hostile-file.js';
import { compileSources, startWriter } from './killed-writer.js';

const inFolder = temporaryFolder();

describe('a write that is cut at any byte', () => {
  const before = new Map([['step', tensor('float32', ['a'], [1, 2, 3])]]);
  const after = new Map<string, Tensor>([
    ['step', tensor('float32', ['a'], [4, 5, 6])],
    ['more', zeros('uint8', ['a'], [5])],
  ]);

  it.each([
    ['by an error', false],
    ['by the end of the process', true],
  ])('%s leaves the old checkpoint as it was', async (name, forGood) => {
    const path = inFolder(`${name}/model.safetensors`);
    await mkdir(dirname(path));
    await writeSafetensors(path, after);
    const { size } = await stat(path);
    await writeSafetensors(path, before);
    const old = await readFile(path);
    for (let afterBytes = 0; afterBytes < size; afterBytes++) {
      const files = new FailingFiles({ afterBytes, forGood });
      await expect(writeAside(path, safetensorsBytes(path, after, {}), files)).rejects.toThrow(/ENOSPC/);
      expect(await readFile(path)).toEqual(old);
    }
    expect((await readdir(dirname(path))).length).toBe(forGood ? 1 + size : 1);
    // What a killed writer left is in nobody's way.
    await writeSafetensors(path, after);
    expect((await readEverything(path)).get('step')?.toArray()).toEqual([4, 5, 6]);
  });
});

describe('a process killed while it writes', () => {
  const names = Array.from({ length: 6 }, (_, index) => `layer-${index}`);
  beforeAll(() => compileSources(inFolder('sources')));

  it('in the middle of a tensor leaves the old checkpoint, and the next write succeeds', async () => {
    const path = inFolder('killed/model.safetensors');
    await mkdir(dirname(path));
    await writeSafetensors(path, new Map(names.map((name) => [name, full('float32', ['a'], [2 ** 19], -1)])));
    for (const stopAt of [0, 1, 3, 5]) {
      const writer = startWriter(inFolder('sources'), path, names, stopAt);
      await writer.said(`reading ${stopAt}`);
      await writer.kill();
      const tensors = await readEverything(path);
      expect([...tensors.values()].every(({ data }) => data.every((value) => value === -1))).toBe(true);
    }
    expect((await readdir(dirname(path))).filter((name) => name.endsWith('.tmp'))).toHaveLength(4);
    await writeSafetensors(path, new Map([['layer-0', full('float32', ['a'], [1], 7)]]));
    expect([...(await readEverything(path)).keys()]).toEqual(['layer-0']);
  });

  it('at any moment leaves one whole checkpoint', async () => {
    const path = inFolder('any/model.safetensors');
    await mkdir(dirname(path));
    await writeFile(path, '');
    for (let round = 0; round < 5; round++) {
      const writer = startWriter(inFolder('sources'), path, names, -1);
      await writer.said(`wrote ${round + 1}`);
      await new Promise((resolve) => setTimeout(resolve, 4 * round));
      await writer.kill();
      const values = [...(await readEverything(path)).values()].map(({ data }) => new Set(data as Float32Array));
      expect(values).toHaveLength(names.length);
      expect(new Set(values.flatMap((set) => [...set])).size).toBe(1);
    }
  });
});
