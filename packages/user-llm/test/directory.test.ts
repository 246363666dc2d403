import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { multiply } from '@user-llm/graph';
import { meanPool } from '@user-llm/perceiver';
import { definePlugin } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { equal } from '@user-llm/tensor';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readManifest, UserLlm } from '../src/index.js';
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

/** Writes another file in its place, with the hash that belongs to it. */
async function replace(name: string, text: string): Promise<void> {
  await writeFile(join(path, name), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  await change(({ files, ...manifest }: Record<string, object>) => ({
    ...manifest,
    files: { ...files, [name]: { bytes: Buffer.byteLength(text), sha256 } },
  }));
}

/** A plugin whose part changes its default from version to version. */
const scaled = (version: string, scale: number) =>
  definePlugin({
    name: 'team',
    specVersion: 1,
    version,
    compressors: [
      {
        ...meanPool,
        name: 'scaled-mean',
        config: z.strictObject({ scale: z.number().default(scale) }),
        build: (config: { readonly scale: number }, width: number) => {
          const mean = meanPool.build({}, width);
          return {
            ...mean,
            apply: (own: never, events: Parameters<typeof mean.apply>[1]) => {
              const { latents, mask } = mean.apply(own, events);
              return { latents: multiply(latents, config.scale), mask };
            },
          };
        },
      },
    ],
  });

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
    await change((manifest) => ({ ...manifest, version: 2, encoder: 'another' }));
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

  it('keeps the defaults of its parts, versions, and what it was trained on', async () => {
    const trainedOn = { data: 'a hash', split: { kind: 'leave-last-out', validation: 1, seed: 0 } } as const;
    const config = smallConfig({ compressor: { name: 'scaled-mean' } });
    const theirs = await smallModel({ runtime, plugins: [scaled('1.0.0', 1)], config, trainedOn });
    const place = join(folder, 'defaults');
    await theirs.save(place);
    const manifest = await readManifest(place);
    expect(manifest.config.compressor).toEqual({ name: 'scaled-mean', config: { scale: 1 } });
    expect(manifest.config.encoder.config).toMatchObject({ width: 8, dropout: 0, featureWidth: 4 });
    expect(Object.keys(manifest.config.encoder.config).length).toBeGreaterThan(6);
    expect(manifest).toMatchObject({ plugins: ['team'], trainedOn });
    expect(manifest.software).toEqual({ '@user-llm/user-llm': expect.stringMatching(/^\d+\.\d+/), team: '1.0.0' });
    const later = await UserLlm.load(place, { runtime, plugins: [scaled('2.0.0', 50)] });
    expect(later.parts.trainedOn).toEqual(trainedOn);
    const user = history('u', [1, 2, 3]);
    expect(await later.recommend(user, 3, { by: 'llm' })).toEqual(await theirs.recommend(user, 3, { by: 'llm' }));
    await later.save(place);
    expect((await readManifest(place)).software).toMatchObject({ team: '2.0.0' });
    await Promise.all([theirs.dispose(), later.dispose()]);
    await rm(place, { recursive: true });
  }, 60_000);

  it('is the same whatever the order of keys in its config', async () => {
    const turned = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
    await change(({ config, ...manifest }: Record<string, Record<string, { config: object }>>) => ({
      ...manifest,
      config: { ...config, encoder: { ...config!['encoder'], config: turned(config!['encoder']!.config) } },
    }));
    const loaded = await UserLlm.load(path);
    expect(loaded.encoderHash).toBe(model.encoderHash);
  });

  it('of version 1 is read with the defaults of now', async () => {
    await change(({ software: _, config, ...manifest }: Record<string, object>) => ({
      ...manifest,
      version: 1,
      encoder: 'a hash of that version',
      config: { ...config, ...smallConfig() },
    }));
    const loaded = await UserLlm.load(path);
    expect(loaded.encoderHash).toBe(model.encoderHash);
    expect(loaded.model.config).toEqual(model.model.config);
  });

  it.each([
    ['catalogue.jsonl', '{"item":"m1"}\n{bad', 'bad-model'],
    ['catalogue.jsonl', '{"item":"m1"}\n5\n', 'bad-model'],
    ['catalogue.jsonl', '{"item":"m1","title":5}\n', 'bad-model'],
    ['event-tokenizer.json', '{', 'bad-model'],
    ['event-tokenizer.json', 'null', 'bad-model'],
    ['event-tokenizer.json', '{}', 'bad-model'],
    ['tokenizer.json', '{', 'bad-tokenizer'],
    ['tokenizer.json', '{}', 'bad-tokenizer'],
  ])('is refused when %s holds %j, by an error that says so', async (name, text, code) => {
    await replace(name, text);
    await expect(UserLlm.load(path)).rejects.toMatchObject({ code });
  });

  it.each(['../../secret', '..', 'folder/file', '/etc/hosts', 'C:\\file'])(
    'is refused when it lists a file %s',
    async (name) => {
      await change(({ files, ...manifest }: Record<string, object>) => ({
        ...manifest,
        files: { ...files, [name]: { bytes: 1, sha256: 'x' } },
      }));
      await expect(UserLlm.load(path)).rejects.toMatchObject({ code: 'bad-model' });
    },
  );

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
