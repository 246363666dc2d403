import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { meanPool } from '@user-llm/perceiver';
import { definePlugin } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { equal } from '@user-llm/tensor';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserLlm } from '../src/index.js';
import { history, smallConfig, smallModel } from './world.js';

let runtime: OnnxRuntime;
let folder: string;
let model: UserLlm;
let path: string;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'user-llm-model-'));
  model = await smallModel({ runtime });
});
beforeEach(async () => {
  path = join(folder, 'model');
  await model.save(path);
});
afterAll(async () => {
  await model.dispose();
  await runtime.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Rewrites the manifest. */
async function change(edit: (manifest: Record<string, never>) => unknown): Promise<void> {
  const file = join(path, 'model.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, never>;
  await writeFile(file, JSON.stringify(edit(manifest)));
}

describe('a model directory', () => {
  it('gives back the model that was saved', async () => {
    const loaded = await UserLlm.load(path, { runtime });
    expect(loaded.encoderHash).toBe(model.encoderHash);
    expect(loaded.catalogue).toEqual(model.catalogue);
    const state = await model.encode(history('u', [1, 2, 3]));
    expect(await loaded.encode(history('u', [1, 2, 3]))).toEqual(state);
    const [ours, theirs] = [await model.context(state), await loaded.context(state)];
    for (const [name, tensor] of Object.entries(ours)) expect(equal(tensor, theirs[name]!), name).toBe(true);
    expect(await loaded.recommend(state, 5)).toEqual(await model.recommend(state, 5));
    await loaded.dispose();
  }, 60_000);

  it('replaces an older one, leaves nothing beside it, and spares what is no model', async () => {
    await model.save(path);
    expect((await readdir(folder)).sort()).toEqual(['model']);
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(other, 'thesis.txt'), 'years of work');
    await expect(model.save(other)).rejects.toMatchObject({ code: 'not-a-model' });
    expect(await readdir(other)).toEqual(['thesis.txt']);
    await rm(other, { recursive: true });
  }, 60_000);

  it.each(['weights.safetensors', 'event-tokenizer.json', 'tokenizer.json', 'catalogue.jsonl'])(
    'is refused without %s, or with another',
    async (name) => {
      const file = join(path, name);
      const bytes = await readFile(file);
      const half = Math.floor(bytes.length / 2);
      bytes[half] = bytes[half]! ^ 1;
      await writeFile(file, bytes);
      await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'corrupted-file', details: { what: file } });
      await truncate(file, half);
      await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'corrupted-file' });
      await rm(file);
      await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'missing-file' });
    },
  );

  it('is refused where there is none, of another version, or with a manifest that says something else', async () => {
    await expect(UserLlm.load(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing-model' });
    await change((manifest) => ({ ...manifest, version: 99 }));
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'unknown-version' });
    await change((manifest) => ({ ...manifest, version: 1, encoder: 'another' }));
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'encoder-mismatch' });
    await change((manifest) => ({ ...manifest, eventTokenizer: 'another' }));
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'encoder-mismatch' });
    await change(({ files: _, ...manifest }) => manifest);
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'bad-model' });
    await writeFile(join(path, 'model.json'), '{');
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'bad-model' });
  }, 60_000);

  it('is refused when its config is of another model than its weights', async () => {
    await change(({ config, ...manifest }: Record<string, object>) => ({
      ...manifest,
      config: { ...config, compressor: { name: 'perceiver', config: { latents: 2, layers: 1, heads: 2 } } },
    }));
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'weights-mismatch' });
  }, 60_000);

  it('names the plugins that it needs', async () => {
    const plugin = definePlugin({ name: 'team', specVersion: 1, compressors: [{ ...meanPool, name: 'team-mean' }] });
    const config = smallConfig({ compressor: { name: 'team-mean', config: {} } });
    const theirs = await smallModel({ runtime, plugins: [plugin], config });
    const place = join(folder, 'theirs');
    await theirs.save(place);
    await expect(UserLlm.load(place)).rejects.toMatchObject({
      code: 'missing-plugin',
      details: { got: 'no compressors "team-mean"', mend: expect.stringMatching(/team.*--plugin FILE/) },
    });
    const loaded = await UserLlm.load(place, { plugins: [plugin] });
    expect(loaded.encoderHash).toBe(theirs.encoderHash);
    await rm(place, { recursive: true });
  }, 60_000);
});
