import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { CheckpointStore, type Place } from '../src/index.js';
import { testFolder } from './support.js';

const folder = testFolder();

const placeOf = (step: number): Place => ({
  step,
  examples: 8 * step,
  seconds: 1.5,
  cursor: { epoch: 2, group: 0, batch: step, recipe: 'r' },
  validatedAt: -1,
  best: null,
  sinceBest: 0,
});

const value = (number: number) => {
  const tensor = new Tensor('float32', ['width'], [2], Float32Array.of(number, -number));
  return { dtype: tensor.dtype, shape: tensor.shape, read: () => Promise.resolve(tensor as unknown as Tensor) };
};

const save = (store: CheckpointStore, step: number, best: boolean) =>
  store.save(placeOf(step), { weight: value(step) }, { 'first/weight': value(10 * step) }, best);

describe('checkpoints', () => {
  it('come back as they were: the last, and the best', async () => {
    const path = join(folder, 'kept');
    const store = new CheckpointStore(path, 'hash');
    expect(await store.load('last')).toBeUndefined();
    await save(store, 1, true);
    await save(store, 2, false);
    await save(store, 3, false);
    const last = await store.load('last');
    expect(last?.place).toEqual(placeOf(3));
    expect([...last!.parameters['weight']!.data]).toEqual([3, -3]);
    expect([...last!.optimizer['first/weight']!.data]).toEqual([30, -30]);
    expect((await store.load('best'))?.place.step).toBe(1);
    expect(readdirSync(path).sort()).toEqual(['checkpoints.json', 'step-00000001', 'step-00000003']);
  });

  it('of one step twice do not stand in each other’s way', async () => {
    const store = new CheckpointStore(join(folder, 'twice'), 'hash');
    await save(store, 4, true);
    await save(store, 4, true);
    expect((await store.load('last'))?.place.step).toBe(4);
  });

  it('stay as they were when the next cannot be written', async () => {
    const path = join(folder, 'failing');
    const store = new CheckpointStore(path, 'hash');
    await save(store, 1, true);
    const broken = { ...value(2), read: () => Promise.reject(new Error('gone')) };
    await expect(store.save(placeOf(2), { weight: broken }, {}, true)).rejects.toThrow('gone');
    expect((await store.load('last'))?.place.step).toBe(1);
    await save(store, 3, true);
    expect(readdirSync(path).sort()).toEqual(['checkpoints.json', 'step-00000003']);
  });

  it.each(['parameters.safetensors', 'optimizer.safetensors'])('tell when %s was changed', async (name) => {
    const path = join(folder, `changed-${name}`);
    const store = new CheckpointStore(path, 'hash');
    await save(store, 1, true);
    const file = join(path, 'step-00000001', name);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    await expect(store.load('last')).rejects.toMatchObject({ code: 'bad-checkpoint', details: { what: file } });
  });

  it.each([
    ['checkpoints.json', '{'],
    ['checkpoints.json', '{"version":2}'],
    ['step-00000001/checkpoint.json', '{"format":"else"}'],
  ])('tell when %s says %s', async (name, content) => {
    const path = join(folder, `damaged-${name.length}-${content.length}`);
    const store = new CheckpointStore(path, 'hash');
    await save(store, 1, true);
    writeFileSync(join(path, name), content);
    await expect(store.load('last')).rejects.toMatchObject({ code: 'bad-checkpoint' });
  });

  it('of another config are refused', async () => {
    const path = join(folder, 'other');
    await save(new CheckpointStore(path, 'hash'), 1, true);
    await expect(new CheckpointStore(path, 'other').load('last')).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
    });
  });
});
