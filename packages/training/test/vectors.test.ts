import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Item } from '@user-llm/plugin';
import { Random, Tensor, writeSafetensors } from '@user-llm/tensor';
import { UserLlm } from '@user-llm/user-llm';
import { afterAll, describe, expect, it } from 'vitest';
import { dataInMemory, runTraining, type RunConfigInput } from '../src/index.js';
import { testRuntime } from './support.js';
import { tinyEncoder, tinyEvents, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

const runtime = testRuntime();
const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string): string => join(folder, name);

const genres = ['Drama', 'Comedy', 'Western', 'Horror'];
/** Items that no event has, one of each genre. */
const cold: readonly Item[] = genres.map((genre, at) => ({
  item: `cold${at}`,
  title: `New ${genre}`,
  categories: [genre],
}));
const items = [...tinyItems, ...cold];

/** What a model of texts might say: mostly the genre, and something of the item's own. */
const vectors = items.map(({ item, categories }) => {
  const own = Random.fromSeed(3).split(item).normal(new Float32Array(6), { standardDeviation: 0.1 });
  own[genres.indexOf((categories as string[])[0]!)]! += 1;
  return { id: item, vector: Array.from(own) };
});

async function writeVectors(rows = vectors): Promise<void> {
  writeFileSync(at('titles.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const numbers = Float32Array.from(rows.flatMap(({ vector }) => vector));
  const tensor = new Tensor('float32', ['id', 'vectorWidth'], [rows.length, 6], numbers) as Tensor;
  const ids = JSON.stringify(rows.map(({ id }) => id));
  await writeSafetensors(at('titles.safetensors'), [['vectors', tensor]], { ids });
}

const data = () => dataInMemory(tinyEvents, items, { kind: 'leave-last-out', validation: 1, seed: 0 });

async function train(name: string, config: Omit<Partial<RunConfigInput>, 'stages'>, steps = 3) {
  const stages: RunConfigInput['stages'] = [
    { kind: 'pretrain', budget: { steps }, batchSize: 8, optimizer: { learningRate: 0.02 } },
  ];
  return runTraining(tinyRun({ ...config, stages }), {
    folder: at(name),
    data: await data(),
    runtime: await runtime(),
  });
}

let refused = 0;
/** A run that cannot be. */
const refuse = (config: Omit<Partial<RunConfigInput>, 'stages'>) => train(`refused-${refused++}`, config);

const weightsOf = (name: string) => readFileSync(at(`${name}/model/weights.safetensors`));

describe('vectors of items', () => {
  it('place items that no event has by their texts', async () => {
    await writeVectors();
    await train('cold', { model: tinyModel, data: { vectors: { item: at('titles.jsonl') } } }, 80);
    const model = await UserLlm.load(at('cold/model'), { runtime: await runtime() });
    const histories = Array.from({ length: 40 }, (_, user) => tinyEvents.filter((event) => event.user === `u${user}`));
    const scores = await model.itemScores(histories);
    const places = cold.map(({ item }) => model.catalogue.findIndex((each) => each.item === item));
    const right = scores.filter((row, user) => {
      const best = places.map((place) => row[place]!);
      return best.every((score) => Number.isFinite(score)) && best.indexOf(Math.max(...best)) === user % 4;
    });
    // Chance finds 10 of 40.
    expect(right.length).toBeGreaterThan(30);
    await model.dispose();
    // What is learned of an item beside its text is learned of items with events alone.
    const { weight, size } = await tableOf('cold');
    for (const { item } of cold) expect(weight(item).every((value) => value === 0)).toBe(true);
    expect(weight('i0').some((value) => value !== 0)).toBe(true);
    expect(size).toBe(3 + items.length);
  }, 120_000);

  it('without them such items have no score', async () => {
    await train('plain', { model: tinyModel });
    const model = await UserLlm.load(at('plain/model'), { runtime: await runtime() });
    const [scores] = await model.itemScores([[]]);
    expect(scores!.filter((score) => score === -Infinity)).toHaveLength(cold.length);
    await model.dispose();
  }, 60_000);

  it('are the same from JSON lines and from safetensors, and hand themselves on to a run that starts there', async () => {
    await writeVectors();
    for (const form of ['jsonl', 'safetensors'])
      await train(form, { model: tinyEncoder, data: { vectors: { item: at(`titles.${form}`) } } });
    expect(weightsOf('jsonl')).toEqual(weightsOf('safetensors'));
    await train('started', { model: tinyEncoder, start: { model: at('jsonl/model'), parts: ['encoder'] } });
    await train('named', {
      model: tinyEncoder,
      start: { model: at('jsonl/model'), parts: ['encoder'] },
      data: { vectors: { item: at('titles.jsonl') } },
    });
    expect(weightsOf('started')).toEqual(weightsOf('named'));
    expect(readFileSync(at('started/model/vectors.safetensors'))).toEqual(
      readFileSync(at('jsonl/model/vectors.safetensors')),
    );
  }, 60_000);

  it('that have changed are not gone on with', async () => {
    await writeVectors();
    const config = { model: tinyEncoder, data: { vectors: { item: at('titles.jsonl') } } };
    const stop = new AbortController();
    const run = tinyRun({ ...config, stages: [{ kind: 'pretrain', budget: { steps: 4 }, batchSize: 8 }] });
    const options = { folder: at('changed'), data: await data(), runtime: await runtime() };
    await runTraining(run, {
      ...options,
      signal: stop.signal,
      onProgress: () => {
        stop.abort();
      },
    });
    await writeVectors(vectors.map(({ id, vector }) => ({ id, vector: vector.map((value) => value + 1) })));
    await expect(runTraining(run, options)).rejects.toMatchObject({ code: 'checkpoint-mismatch' });
  }, 60_000);

  it.each([
    ['no such file', 'nowhere.jsonl', undefined, 'can be read'],
    ['no JSON', 'bad.jsonl', '{"id": "i0"', 'JSON'],
    ['another form', 'bad.jsonl', '{"id": "i0", "numbers": [1]}', '"vector"'],
    ['several widths', 'bad.jsonl', '{"id": "i0", "vector": [1, 2]}\n{"id": "i1", "vector": [1]}', '2 numbers'],
    ['an id twice', 'bad.jsonl', '{"id": 1, "vector": [1]}\n{"id": "1", "vector": [2]}', 'each id once'],
    ['numbers out of range', 'bad.jsonl', '{"id": "i0", "vector": [1e39]}', 'finite numbers'],
    ['nothing', 'bad.jsonl', '\n', 'at least one vector'],
    ['no safetensors', 'bad.safetensors', 'none', 'can be read'],
  ])('are refused: %s', async (_, file, content, told) => {
    if (content !== undefined) writeFileSync(at(file), content);
    const failed = refuse({ model: tinyEncoder, data: { vectors: { item: at(file) } } });
    await expect(failed).rejects.toMatchObject({ code: 'bad-vectors', message: expect.stringContaining(told) });
  });

  it('are refused: safetensors without ids, or with a row for another number of them', async () => {
    const tensor = new Tensor('float32', ['a', 'b'], [2, 3]) as Tensor;
    for (const [name, metadata, told] of [
      ['other', { ids: '["i0", "i1"]' }, 'a tensor "vectors"'],
      ['vectors', {}, 'metadata "ids"'],
      ['vectors', { ids: '["i0"]' }, '[1, width]'],
    ] as const) {
      await writeSafetensors(at('bad.safetensors'), [[name, tensor]], metadata);
      const failed = refuse({ model: tinyEncoder, data: { vectors: { item: at('bad.safetensors') } } });
      await expect(failed).rejects.toMatchObject({ code: 'bad-vectors', message: expect.stringContaining(told) });
    }
  });

  it('are refused for a feature that there is not, or whose ids are others', async () => {
    await writeVectors(vectors.map(({ id, vector }) => ({ id: `other-${id}`, vector })));
    const failed = refuse({ model: tinyEncoder, data: { vectors: { shop: at('titles.jsonl') } } });
    await expect(failed).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining('shop') });
    const others = refuse({ model: tinyEncoder, data: { vectors: { genre: at('titles.jsonl') } } });
    await expect(others).rejects.toMatchObject({ code: 'bad-vectors', message: expect.stringContaining('other-i0') });
  });
});

/** What a run has learned of single items beside their vectors. */
async function tableOf(run: string) {
  const model = await UserLlm.load(at(`${run}/model`), { runtime: await runtime() });
  const tensor = model.weights['encoder.features.item.weight']!;
  const [size, width] = tensor.shape as [number, number];
  const weight = (item: string): number[] => {
    const id = Int32Array.of(0);
    model.parts.eventTokenizer.feature('item').fitted.encode(item, id, 0);
    return Array.from(tensor.data.slice(id[0]! * width, (id[0]! + 1) * width));
  };
  await model.dispose();
  return { size, weight };
}
