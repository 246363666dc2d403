import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, type Tensor } from '@user-llm/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataInMemory, runTraining, type RunConfigInput, type TrainingData } from '../src/index.js';
import { bitsOf, testFolder, testRuntime } from './support.js';
import { tinyData, tinyEncoder, tinyEvents, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();
const at = (name: string): string => join(folder, name);

/** One step that moves nothing, so that a model ends as it starts. */
const still: RunConfigInput['stages'][number] = {
  kind: 'pretrain',
  budget: { steps: 1 },
  batchSize: 8,
  optimizer: { factors: { '*': 0 } },
};
const moving = { ...still, optimizer: { learningRate: 0.02 } };

async function train(name: string, config: Partial<RunConfigInput>, data?: TrainingData): Promise<void> {
  const run = tinyRun({ model: tinyEncoder, stages: [still], ...config });
  await runTraining(run, { folder: at(name), data: data ?? (await tinyData()), runtime: await runtime() });
}

async function weightsOf(name: string): Promise<Record<string, string>> {
  const file = await openSafetensors(at(`${name}/model/weights.safetensors`));
  const read: Record<string, Tensor> = {};
  for (const own of file.names) read[own] = await file.read(own);
  await file.close();
  return bitsOf(read);
}

/** The tiny encoder with other settings. */
const encoderWith = (config: object) =>
  ({
    ...tinyEncoder,
    encoder: { name: 'autoregressive', config: { ...tinyEncoder.encoder.config, ...config } },
  }) as const;

const fromEncoder = { start: { model: at('encoder/model'), parts: ['encoder'] } } satisfies Partial<RunConfigInput>;

beforeAll(async () => {
  await train('encoder', { stages: [moving] });
  await train('whole', { model: tinyModel, stages: [moving] });
}, 60_000);

describe('a run that starts from an encoder alone', () => {
  it('takes all of it', async () => {
    await train('same', { ...fromEncoder, seed: 6 });
    expect(await weightsOf('same')).toEqual(await weightsOf('encoder'));
    await train('whole of it', { ...fromEncoder, model: tinyModel, seed: 6 });
    expect(await weightsOf('whole of it')).toMatchObject(await weightsOf('encoder'));
  }, 60_000);

  it.each([
    ['more layers', { layers: 2 }, 'expected layers 2, got layers 1'],
    ['other heads, with the same shapes', { heads: 1 }, 'expected heads 1, got heads 2'],
  ])('refuses one of another config: %s', async (name, config, told) => {
    const training = train(name, { ...fromEncoder, model: encoderWith(config) });
    await expect(training).rejects.toMatchObject({ code: 'no-start', message: expect.stringContaining(told) });
  });

  it('refuses one that lacks a parameter, such as the map of vectors', async () => {
    writeFileSync(at('vectors.jsonl'), '{ "id": "i0", "vector": [1, 2] }\n');
    const training = train('vectors', { ...fromEncoder, data: { vectors: { item: at('vectors.jsonl') } } });
    await expect(training).rejects.toMatchObject({
      code: 'no-start',
      message: expect.stringContaining('none of this'),
    });
  });

  it('refuses data whose items it does not know, but for what they are to another part', async () => {
    const renamed = tinyEvents.map((event) => ({ ...event, item: `book of ${event.item}` }));
    const books = () => dataInMemory(renamed);
    const training = train('books', fromEncoder, await books());
    await expect(training).rejects.toMatchObject({
      code: 'unknown-items',
      message: expect.stringContaining(`${renamed.length} of ${renamed.length} events`),
    });
    const llm = { start: { model: at('whole/model'), parts: ['llm'] } } satisfies Partial<RunConfigInput>;
    await train('books with that LLM', { ...llm, model: tinyModel, text: undefined }, await books());
  }, 60_000);

  it('refuses files that are not as they were written', async () => {
    cpSync(at('encoder/model'), at('damaged'), { recursive: true });
    const start = { model: at('damaged'), parts: ['encoder'] } satisfies RunConfigInput['start'];
    const file = at('damaged/weights.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(file, bytes);
    await expect(train('from damaged', { start })).rejects.toMatchObject({ code: 'corrupted-file' });
    rmSync(file);
    await expect(train('from damaged', { start })).rejects.toMatchObject({ code: 'corrupted-file' });
    writeFileSync(at('damaged/model.json'), '{ "format": "user-llm-encoder", "version": 2 }');
    await expect(train('from damaged', { start })).rejects.toMatchObject({ code: 'bad-model' });
    rmSync(at('damaged/model.json'));
    await expect(train('from damaged', { start })).rejects.toMatchObject({ code: 'missing-model' });
  });
});

describe('a run that starts from a whole User-LLM', () => {
  const parts = ['encoder', 'compressor', 'fusion', 'llm'] as const;
  const start = { model: at('whole/model'), parts: [...parts] };

  it('takes the parts that it has, and their tokenizers', async () => {
    await train('again', { start, model: tinyModel, text: undefined, seed: 6 });
    expect(await weightsOf('again')).toEqual(await weightsOf('whole'));
    await train('its encoder', { start, seed: 6 });
    expect(await weightsOf('whole')).toMatchObject(await weightsOf('its encoder'));
  }, 60_000);

  it('refuses an LLM whose tokens are others', async () => {
    const items = tinyItems.map((item) => ({ ...item, title: `Piece ${item.item}` }));
    const data = await dataInMemory(tinyEvents, items, { kind: 'leave-last-out', validation: 1, seed: 0 });
    const training = train('other tokens', { start: { ...start, parts: ['llm'] }, model: tinyModel }, data);
    await expect(training).rejects.toMatchObject({ code: 'no-start', message: expect.stringContaining('llm of') });
  });
});
