import { join } from 'node:path';
import {
  evaluate,
  graph,
  initializeParameters,
  input,
  inputName,
  parameterInputs,
  toReference,
  type Float,
  type ParameterTree,
} from '@user-llm/graph';
import type { Event, Item } from '@user-llm/plugin';
import { featureKinds } from '@user-llm/tokenization';
import { openSafetensors, Random, Tensor } from '@user-llm/tensor';
import { encodeAnswer, encodePrompt, parameterGroup, titleTrie, userLlmRegistry } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import {
  CheckpointStore,
  dataInMemory,
  runTraining,
  train,
  type RunConfigInput,
  type TrainResult,
  type Weights,
} from '../src/index.js';
import { tokenized } from '../src/data/training-data.js';
import { LossEvaluator } from '../src/loop/loss-evaluator.js';
import { buildModel } from '../src/run/model.js';
import { alignBatches, namedItems, type NamedItem } from '../src/stages/align/align-batches.js';
import { alignConfig } from '../src/stages/align/align-config.js';
import { alignStage } from '../src/stages/align/align-stage.js';
import { directionsOf, itemDirections } from '../src/stages/align/item-vectors.js';
import type { Stage, StageInputs } from '../src/stages/stage.js';
import { answerFeeds } from '../src/stages/tune/answer-feeds.js';
import { bitsOf, first, testFolder, testRuntime } from './support.js';
import { tinyData, tinyEvents, tinyItems, tinyModel, tinyRun, tinyText as text } from './tiny-run.js';

// E user width, V ids of the item feature.

const folder = testFolder();
const runtime = testRuntime();
const registry = userLlmRegistry();
const width = tinyModel.encoder.config.width;
const dataOf = async (items: readonly Item[] = tinyItems) =>
  tokenized(await dataInMemory(tinyEvents, items), tinyModel.events, featureKinds);

/** What a stage is made of, on the tiny model with some parts replaced. */
async function stageInputs(parts: Partial<RunConfigInput['model']> = {}): Promise<StageInputs> {
  const { config } = tinyRun({
    model: { ...tinyModel, ...parts },
    stages: [{ kind: 'align', budget: { steps: 1 } }],
  });
  const data = await dataOf();
  const model = buildModel(config.model, registry, data, text);
  return { model, data, text, item: 'item', registry, runtime: await runtime(), seed: 5 };
}

/** Directions of an encoder's items and its scores of given embeddings, by the reference kernels. */
async function encoderFigures(encoder: NonNullable<RunConfigInput['model']>['encoder'], last: Float64Array) {
  const { model } = await stageInputs({ encoder });
  const rows = last.length / width;
  const { tree, named } = parameterInputs(model.encoder.parameters);
  const x_BE = input('last', 'float32', ['batch', 'userWidth'], [rows, width]);
  const directions = itemDirections('align', model.encoder, tree as never);
  const scores = model.encoder.itemScores!(tree as never, x_BE);
  const ids = input('ids', 'int32', ['batch', 'event'], [1, 3]);
  const outputs = { directions, scores, vectors: directionsOf(directions, ids) as Float };
  const parameters = initializeParameters(model.encoder.parameters, Random.fromSeed(2));
  const results = evaluate(graph([x_BE, ids, ...Object.values(named)], outputs), {
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, toReference(value)])),
    last: { dtype: 'float32', shape: [rows, width], data: last },
    ids: { dtype: 'int32', shape: [1, 3], data: Float64Array.of(5, 3, 26) },
  });
  return { parameters, size: directions.shape[0] as number, results };
}

const drawn = (count: number): Float64Array => Random.fromSeed(9).normal(new Float64Array(count));
const plain = (tensor: Tensor): number[] => Array.from(tensor.data, Number);

describe('directions of items', () => {
  it('are the rows of the table that an encoder has for its inputs and outputs, as long as after its last norm', async () => {
    const { parameters, results, size } = await encoderFigures(tinyModel.encoder, drawn(width));
    const table = plain(parameters['features.item.weight']!);
    expect(table).toHaveLength(size * width);
    Array.from(results['directions']!.data).forEach((value, at) => {
      expect(value).toBeCloseTo(table[at]!, 8);
    });
    const vectors = Array.from(results['vectors']!.data);
    [5, 3, 26].forEach((id, at) => {
      const row = table.slice(id * width, (id + 1) * width);
      const length = Math.hypot(...row);
      const vector = vectors.slice(at * width, (at + 1) * width);
      // The reference kernels add 1e-6 to mean squares of about 0.02 squared.
      const scale = Math.hypot(...vector) / length;
      vector.forEach((value, place) => {
        expect(value).toBeCloseTo(row[place]! * scale, 8);
      });
      expect(Math.hypot(...vector) / Math.sqrt(width)).toBeGreaterThan(0.99);
      expect(Math.hypot(...vector) / Math.sqrt(width)).toBeLessThan(1);
    });
  });

  it.each([
    ['whose items are narrower', { ...tinyModel.encoder.config, itemWidth: 8 }, 'autoregressive'],
    ['with outputs of its own', { ...tinyModel.encoder.config, tied: false }, 'autoregressive'],
    ['of two towers', { ...tinyModel.encoder.config, temperature: 0.5 }, 'dual'],
  ])('are the slopes of the scores of an encoder %s', async (_, config, name) => {
    const rows = 3;
    const last = drawn((rows + 1) * width).fill(0, rows * width);
    const { results, size } = await encoderFigures({ name, config }, last);
    const { directions, scores } = results;
    expect(Math.hypot(...Array.from(directions!.data))).toBeGreaterThan(0);
    for (let row = 0; row < rows; row++) {
      for (let id = 0; id < size; id++) {
        const slope = directions!.data.slice(id * width, (id + 1) * width);
        const product = Array.from(slope).reduce((sum, value, at) => sum + value * last[row * width + at]!, 0);
        const risen = scores!.data[row * size + id]! - scores!.data[rows * size + id]!;
        expect(product).toBeCloseTo(risen, 8);
      }
    }
  });

  it('are not to be had of an encoder that does not score items by embeddings', async () => {
    const stage = { kind: 'align', budget: { steps: 1 }, maximumTokens: 64 } as const;
    const running = runTraining(
      tinyRun({ model: { ...tinyModel, encoder: { ...tinyModel.encoder, name: 'bert4rec' } }, stages: [stage] }),
      { folder: join(folder, 'bert4rec'), data: await tinyData(), runtime: await runtime() },
    );
    await expect(running).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('itemScores') as string,
    });
  });
});

const byName = (items: readonly NamedItem[], name: string): readonly number[] =>
  items.find(({ item }) => item === name)!.example.tokens;

describe('batches of items', () => {
  const sizes = { batchSize: 5, events: 4, maximumTokens: 64 };

  it('ask each item once an epoch, in another order each time, and it stands last', async () => {
    const data = await dataOf();
    const items = namedItems(data, 'item', text, 64);
    expect(items).toHaveLength(24);
    // Five epochs.
    const batches = await first(alignBatches(items, sizes, 3, undefined), 24);
    const asked = batches.flatMap(({ contents }) => contents as string[]);
    for (const { item } of items) expect(asked.filter((each) => each === item)).toHaveLength(5);
    expect(new Set(asked.slice(0, 20)).size).toBe(20);
    expect(asked.slice(60, 80)).not.toEqual(asked.slice(0, 20));
    const byName = new Map(items.map((item) => [item.item, item]));
    const others = new Set<number>();
    for (const { feeds, contents, examples } of batches) {
      expect(examples).toBe(5);
      expect(feeds['items']!.shape).toEqual([5, 4]);
      const ids = plain(feeds['items']!);
      (contents as string[]).forEach((item, row) => {
        expect(ids[4 * row + 3]).toBe(byName.get(item)!.id);
        ids.slice(4 * row, 4 * row + 3).forEach((id) => others.add(id));
      });
    }
    expect([...others].every((id) => items.some((item) => item.id === id))).toBe(true);
    expect(others.size).toBeGreaterThan(20);
  });

  it('ask each item as often as its share of the weights, rounded up or down, in an order of its own', async () => {
    const items = namedItems(await dataOf(), 'item', text, 64);
    const weights = items.map((_, at) => (at === 0 ? 49 : at === 1 ? 7 : at));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const batches = await first(alignBatches(items, { ...sizes, batchSize: 4, weights }, 3, undefined), 60);
    const epochs = Array.from({ length: 10 }, (_, epoch) =>
      batches.slice(6 * epoch, 6 * (epoch + 1)).flatMap(({ contents }) => contents as string[]),
    );
    for (const [at, { item }] of items.entries()) {
      const share = (items.length * weights[at]!) / total;
      const asked = epochs.map((epoch) => epoch.filter((each) => each === item).length);
      for (const count of asked) expect([Math.floor(share), Math.ceil(share)]).toContain(count);
      const mean = asked.reduce((sum, count) => sum + count, 0) / asked.length;
      expect(Math.abs(mean - share)).toBeLessThan(0.5);
    }
    expect(new Set(epochs.map((epoch) => epoch.join(' '))).size).toBe(10);
    const [next] = await first(alignBatches(items, { ...sizes, batchSize: 4, weights }, 3, 17), 1);
    expect(next).toEqual(batches[17]);
  });

  it('have the title of the last item as the answer to an empty question', async () => {
    const data = await dataOf();
    const items = namedItems(data, 'item', text, 64);
    const prompt = encodePrompt(text, '');
    for (const { item, id, example } of items) {
      const answer = encodeAnswer(text, data.catalogue.get(item)!.title!);
      const choices = answer.map((_, at) => ({ at }));
      const tokens = [...prompt, ...answer.slice(0, -1)];
      expect(example).toEqual({ tokens, from: prompt.length - 1, answer, choices });
      const encoded = new Int32Array(1);
      data.tokenizer.feature('item').fitted.encode(item, encoded, 0);
      expect(id).toBe(encoded[0]);
    }
    const [batch] = await first(alignBatches(items, sizes, 3, undefined), 1);
    const labels = plain(batch!.feeds['labels']!).filter((label) => label !== -100);
    const titles = (batch!.contents as string[]).map((item) => data.catalogue.get(item)!.title!);
    expect(labels).toEqual(titles.flatMap((title) => encodeAnswer(text, title)));
  });

  it('put titles of about one length into one batch', async () => {
    const data = await dataOf(
      tinyItems.map(({ item }, at) => ({ item, title: at % 2 === 0 ? 'Film' : 'Film with a longer title' })),
    );
    const items = namedItems(data, 'item', text, 64);
    const [short] = items.map(({ example }) => example.tokens.length).sort((a, b) => a - b);
    const batches = await first(alignBatches(items, { ...sizes, batchSize: 4, vocabularySize: 300 }, 3, undefined), 6);
    const asked = batches.map(({ contents }) => (contents as string[]).map((item) => byName(items, item).length));
    expect(asked.filter((lengths) => lengths.every((length) => length === short))).toHaveLength(3);
    expect(asked.filter((lengths) => lengths.every((length) => length > short!))).toHaveLength(3);
  });

  it('have of constrained titles what tells one from all others, and nothing to predict where there is no choice', async () => {
    const data = await dataOf();
    const trie = titleTrie(text, data.catalogue.values());
    const items = namedItems(data, 'item', text, 64, trie);
    const prompt = encodePrompt(text, '');
    for (const { item, example } of items) {
      const whole = encodeAnswer(text, data.catalogue.get(item)!.title!);
      expect(example.answer).toEqual(whole.slice(0, example.answer.length));
      expect(example.answer.length).toBeLessThan(whole.length);
      expect(example.choices.at(-1)!.at).toBe(example.answer.length - 1);
      expect(example.tokens).toEqual([...prompt, ...example.answer.slice(0, -1)]);
    }
    const vocabularySize = 300;
    const [batch] = await first(alignBatches(items, { ...sizes, vocabularySize }, 3, undefined), 1);
    const { rows, labels, allowed } = batch!.feeds;
    expect(allowed!.shape).toEqual([rows!.shape[0], vocabularySize]);
    plain(labels!).forEach((label, row) => {
      const own = plain(allowed!).slice(row * vocabularySize, (row + 1) * vocabularySize);
      const count = own.reduce((sum, each) => sum + each, 0);
      expect(label === -100 ? count : own[label]).toBe(label === -100 ? vocabularySize : 1);
      if (label !== -100) expect(count).toBeLessThanOrEqual(tinyItems.length);
    });
  });

  it('go on from any cursor', async () => {
    const items = namedItems(await dataOf(), 'item', text, 64);
    const all = await first(alignBatches(items, sizes, 3, undefined), 12);
    for (const [at, { cursor }] of all.slice(0, -1).entries()) {
      const [next] = await first(alignBatches(items, sizes, 3, cursor), 1);
      expect(next).toEqual(all[at + 1]);
    }
    const [other] = await first(alignBatches(items, sizes, 4, undefined), 1);
    expect(other).not.toEqual(all[0]);
  });

  it('cut a title that is too long, and leave out items without events or a title', async () => {
    const long = 'A film with a title that does not end '.repeat(4);
    const items: Item[] = [
      { item: 'i0', title: long },
      { item: 'i1', title: '' },
      { item: 'i2' },
      { item: 'never seen', title: 'Unseen' },
      { item: 'i3', title: 'Film D' },
    ];
    const named = namedItems(await dataOf(items), 'item', text, 30);
    expect(named.map(({ item }) => item)).toEqual(['i0', 'i3']);
    const [cut] = named;
    expect(cut!.example.tokens).toHaveLength(30);
    expect(cut!.example.answer).toEqual(encodeAnswer(text, long).slice(0, cut!.example.answer.length));
  });

  it('are not to be had of items without titles', async () => {
    const data = await dataInMemory(
      tinyEvents,
      tinyItems.map(({ title: _title, ...item }) => item),
    );
    const stages = [{ kind: 'align', budget: { steps: 1 } }] as const;
    const running = runTraining(tinyRun({ stages: [...stages] }), {
      folder: join(folder, 'no titles'),
      data,
      runtime: await runtime(),
    });
    await expect(running).rejects.toMatchObject({ code: 'no-questions' });
  });
});

const aligning = (config: object) =>
  alignConfig.parse({
    kind: 'align',
    budget: { steps: 1 },
    batchSize: 24,
    events: 2,
    maximumTokens: 32,
    optimizer: { learningRate: 0.02 },
    ...config,
  });

/** Aligns the model, and gives the trained parameters or none when it was stopped. */
async function align(
  inputs: StageInputs,
  stage: Stage,
  weights: Weights,
  place: string,
  { steps, signal, onStep }: { steps: number; signal?: AbortSignal; onStep?: (step: number) => void },
): Promise<TrainResult> {
  return train({
    task: stage.task,
    trains: (name) => stage.trains(name),
    weights,
    optimizer: aligning({}).optimizer,
    budget: { steps },
    seed: 5,
    runtime: inputs.runtime,
    checkpoints: new CheckpointStore(join(folder, place, 'checkpoints'), 'config'),
    folder: join(folder, place),
    ...(signal && { signal }),
    onProgress: ({ phase, step }) => void (phase === 'train' && onStep?.(step)),
  });
}

describe('alignment', () => {
  it('asks for an item as often as training events have it, where it is told to', async () => {
    // What users watch first all watch; the last event is tested, the one before validates.
    const events = Array.from({ length: 24 }, (_, user): Event[] =>
      ['i0', 'i0', `i${user % 4}`, 'i1', 'i23', 'i23'].map((item, position) => ({
        user: `u${user}`,
        item,
        time: 1000 * position,
        rating: 1,
      })),
    ).flat();
    const inputs = await stageInputs();
    const data = await tokenized(await dataInMemory(events, tinyItems), tinyModel.events, featureKinds);
    const stage = alignStage(aligning({ sampling: 'events', batchSize: 4 }), { ...inputs, data });
    const batches = await first(stage.task.batches(undefined), 50);
    const asked = batches.flatMap(({ contents }) => contents as string[]);
    const share = (item: string) => asked.filter((each) => each === item).length / asked.length;
    // Of 96 events 54, 30, 6 and 6.
    expect(share('i0')).toBeCloseTo(54 / 96, 1);
    expect(share('i1')).toBeCloseTo(30 / 96, 1);
    expect(share('i2')).toBeCloseTo(6 / 96, 1);
    expect(share('i0')).toBeGreaterThan(6 * share('i2'));
    // Nothing that is held out counts.
    expect(share('i23')).toBe(0);
  });

  // The last of two events is told from the first by recency.
  const compressor = {
    name: 'perceiver',
    config: { latents: 3, layers: 1, heads: 2, recency: 2, readLatents: false },
  };

  it('teaches the LLM the title that the last vector stands for, and of another vector another title', async () => {
    const inputs = await stageInputs({ compressor });
    const stage = alignStage(aligning({}), inputs);
    const { parameters } = stage.task;
    const before = initializeParameters(parameters, Random.fromSeed(5));
    const { parameters: trained } = await align(inputs, stage, before, 'titles', { steps: 300 });
    const after = { ...before, ...trained };
    const items = namedItems(inputs.data, 'item', text, 32);
    const evaluator = new LossEvaluator(inputs.runtime, parameters as ParameterTree, (tree, shapes) => {
      const whole = stage.task.loss(tree, shapes);
      return { ...whole, inputs: whole.inputs.filter((each) => inputName(each) !== 'seed') };
    });
    /** How surprised the LLM is by a title after two items. */
    const surprise = (weights: Weights, ids: readonly number[], title: number): Promise<number> => {
      const feeds = answerFeeds([items[title]!.example], { batchSize: 1, tokenBuckets: [32] });
      const events = new Tensor('int32', ['batch', 'event'], [1, 2], Int32Array.from(ids));
      return evaluator.of({ ...feeds, items: events }, weights);
    };
    /** How many vectors make the LLM name their own title rather than any other. */
    const right = async (weights: Weights): Promise<number> => {
      let count = 0;
      for (const [at, { id }] of items.entries()) {
        const other = items[(at + 7) % items.length]!.id;
        const all: number[] = [];
        for (let title = 0; title < items.length; title++) all.push(await surprise(weights, [other, id], title));
        if (all[at] === Math.min(...all)) count++;
      }
      return count;
    };
    // Gates of 0: the same title for all, which one of 24 has.
    expect(await right(before)).toBeLessThanOrEqual(1);
    expect(await right(after)).toBeGreaterThanOrEqual(18);
    const [one, two] = [items[3]!.id, items[8]!.id];
    expect(await surprise(after, [two, one], 3)).toBeLessThan(0.5 * (await surprise(after, [one, two], 3)));
    await evaluator.dispose();
    await stage.dispose();
  }, 120_000);

  it('resumes: stopped at any batch it ends with the bits of one that never was', async () => {
    const inputs = await stageInputs({ compressor });
    const stage = alignStage(aligning({ batchSize: 5 }), inputs);
    const before = initializeParameters(stage.task.parameters, Random.fromSeed(5));
    const whole = await align(inputs, stage, before, 'whole', { steps: 8 });
    for (const stopAfter of [1, 4, 5, 7]) {
      const stop = new AbortController();
      const onStep = (step: number): void => void (step === stopAfter && stop.abort());
      const part = await align(inputs, stage, before, 'parts', { steps: 8, signal: stop.signal, onStep });
      expect([part.ended, part.place.step]).toEqual(['stopped', stopAfter]);
    }
    const last = await align(inputs, stage, before, 'parts', { steps: 8 });
    expect(bitsOf(last.parameters as never)).toEqual(bitsOf(whole.parameters as never));
    await stage.dispose();
  }, 60_000);

  it.each([
    ['full', ['compressor', 'fusion', 'llm']],
    ['enc', ['compressor', 'fusion']],
  ] as const)(
    'by the strategy %s leaves the encoder as it is, bit for bit',
    async (strategy, moved) => {
      const options = { data: await tinyData(), runtime: await runtime() };
      const model = { ...tinyModel, compressor };
      const pretrain = { kind: 'pretrain', budget: { steps: 2 }, batchSize: 8 } as const;
      const settings = { batchSize: 6, maximumTokens: 64, optimizer: { weightDecay: 0.1 } } as const;
      const start = join(folder, `start-${strategy}`);
      const end = join(folder, `end-${strategy}`);
      await runTraining(tinyRun({ model, stages: [pretrain] }), { ...options, folder: start });
      await runTraining(
        tinyRun({
          model,
          start: { model: join(start, 'model'), parts: ['encoder', 'compressor', 'fusion', 'llm'] },
          stages: [{ kind: 'align', strategy, budget: { steps: 3 }, ...settings }],
        }),
        { ...options, folder: end },
      );
      const [before, after] = await Promise.all([start, end].map(savedBits));
      const changed = Object.keys(before!).filter((name) => after![name] !== before![name]);
      expect([...new Set(changed.map(parameterGroup))].sort()).toEqual([...moved]);
      expect(Object.keys(before!).some((name) => parameterGroup(name) === 'encoder')).toBe(true);
    },
    60_000,
  );

  it('needs an LLM', async () => {
    const model = { events: tinyModel.events, encoder: tinyModel.encoder };
    const running = runTraining(tinyRun({ model, stages: [{ kind: 'align', budget: { steps: 1 } }] }), {
      folder: join(folder, 'no LLM'),
      data: await tinyData(),
      runtime: await runtime(),
    });
    await expect(running).rejects.toMatchObject({ code: 'bad-config' });
  });
});

async function savedBits(run: string): Promise<Record<string, string>> {
  const file = await openSafetensors(join(run, 'model', 'weights.safetensors'));
  const read: Record<string, Tensor> = {};
  for (const name of file.names) read[name] = await file.read(name);
  await file.close();
  return bitsOf(read);
}
