import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserLlmError } from '../../src/errors.js';
import { tensor } from '../../src/factories.js';
import { openSafetensors } from '../../src/safetensors/sharded-safetensors.js';
import { writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import { temporaryFolder } from '../temporary-folder.js';

const inFolder = temporaryFolder();
const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
const good = { 'a.weight': names[0], 'b.weight': names[1], 'c.weight': names[0] };

/** A folder with two shards and an index of them. */
async function checkpoint(name: string, index: unknown): Promise<string> {
  const folder = inFolder(name);
  await mkdir(folder);
  const one = tensor('float32', ['a'], [1, 2]);
  await writeSafetensors(
    join(folder, names[0]),
    [
      ['a.weight', one],
      ['c.weight', one],
    ],
    { format: 'pt' },
  );
  await writeSafetensors(join(folder, names[1]), [
    ['b.weight', tensor('bfloat16', ['a'], [3])],
    ['unlisted', one],
  ]);
  const text = typeof index === 'string' ? index : JSON.stringify(index);
  await writeFile(join(folder, 'model.safetensors.index.json'), text);
  return folder;
}

async function refusal(path: string): Promise<UserLlmError> {
  const error = await openSafetensors(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserLlmError);
  return error as UserLlmError;
}

describe('a sharded checkpoint', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await checkpoint('good', { metadata: { total_size: 20 }, weight_map: good });
  });

  it('is read as one, by its folder or its index', async () => {
    for (const path of [folder, join(folder, 'model.safetensors.index.json')]) {
      const source = await openSafetensors(path);
      expect(source.names).toEqual(['a.weight', 'b.weight', 'c.weight']);
      expect(source.metadata.get('format')).toBe('pt');
      expect(source.entry('b.weight')).toMatchObject({ format: 'BF16', shape: [1] });
      expect((await source.read('b.weight', { axes: ['width'], dtype: 'float32' })).toNested()).toEqual([3]);
      const bytes = new Uint8Array(8);
      await source.readInto('c.weight', bytes);
      expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2]);
      expect(() => source.entry('unlisted')).toThrow(expect.objectContaining({ code: 'unknown-tensor' }) as Error);
      await source.close();
      await expect(source.read('a.weight')).rejects.toMatchObject({ code: 'closed' });
    }
  });

  it('may also be one file, alone or in its folder', async () => {
    const whole = inFolder('whole');
    await mkdir(whole);
    await writeSafetensors(join(whole, 'model.safetensors'), [['a', tensor('int8', ['a'], [5])]]);
    for (const path of [whole, join(whole, 'model.safetensors')]) {
      const source = await openSafetensors(path);
      expect((await source.read('a')).toArray()).toEqual([5]);
      await source.close();
    }
  });

  it('without one of its shards names the missing one', async () => {
    const broken = await checkpoint('missing', { weight_map: good });
    await rm(join(broken, names[1]));
    const error = await refusal(broken);
    expect(error.code).toBe('missing-shard');
    expect(error.message).toContain(names[1]);
  });

  it('that is not there is refused', async () => {
    expect((await refusal(inFolder('nowhere'))).code).toBe('unreadable-file');
    const empty = inFolder('empty');
    await mkdir(empty);
    expect((await refusal(empty)).code).toBe('unreadable-file');
  });
});

describe('a hostile index is refused', () => {
  it.each<[string, string, unknown]>([
    ['bad-safetensors', 'a path upwards', { weight_map: { a: '../good/model-00001-of-00002.safetensors' } }],
    ['bad-safetensors', 'a path downwards', { weight_map: { a: 'sub/model.safetensors' } }],
    ['bad-safetensors', 'an absolute path', { weight_map: { a: '/etc/model.safetensors' } }],
    ['bad-safetensors', 'a path of Windows', { weight_map: { a: '..\\model.safetensors' } }],
    ['bad-safetensors', 'a drive of Windows', { weight_map: { a: 'C:model.safetensors' } }],
    ['bad-safetensors', 'a zero byte', { weight_map: { a: 'model\0.safetensors' } }],
    ['bad-safetensors', 'another kind of file', { weight_map: { a: 'passwd' } }],
    ['bad-safetensors', 'no file name', { weight_map: { a: 5 } }],
    ['bad-safetensors', 'an empty name', { weight_map: { a: '' } }],
    ['bad-safetensors', 'no tensors', { weight_map: {} }],
    ['bad-safetensors', 'no map', { metadata: {} }],
    ['bad-safetensors', 'a list', []],
    ['bad-safetensors', 'no JSON', '{"weight_map":'],
    ['bad-safetensors', 'a tensor in two shards', `{"weight_map":{"a.weight":"${names[0]}","a.weight":"${names[1]}"}}`],
    ['unknown-tensor', 'a tensor that its shard lacks', { weight_map: { 'd.weight': names[0] } }],
    ['missing-shard', 'a shard that is a folder', { weight_map: { a: 'folder.safetensors' } }],
  ])('%s: %s', async (code, name, index) => {
    const folder = await checkpoint(name.replaceAll(' ', '-'), index);
    await mkdir(join(folder, 'folder.safetensors'));
    const error = await refusal(folder);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/expected .*got/);
  });
});
