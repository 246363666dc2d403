import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, graph, initializeParameters, input, parameterInputs, type Symbolic } from '@user-llm/graph';
import type { Item } from '@user-llm/plugin';
import { featureKinds, reservedIds } from '@user-llm/tokenization';
import { Random, type Tensor } from '@user-llm/tensor';
import { encodeAnswer, encodePrompt, titleTrie, UserLlm, userLlmRegistry } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { dataInMemory, runTraining, type RunConfigInput } from '../src/index.js';
import { tokenized } from '../src/data/training-data.js';
import { buildModel } from '../src/run/model.js';
import { answerFeeds } from '../src/stages/tune/answer-feeds.js';
import { expectationInputs, expectedTokens, TitleExpectation } from '../src/stages/tune/encoder-expectation.js';
import { tokenExample } from '../src/stages/tune/token-example.js';
import { tuneConfig } from '../src/stages/tune/tune-config.js';
import { tuneStage } from '../src/stages/tune/tune-stage.js';
import { testFolder, testRuntime } from './support.js';
import {
  askedNext as asked,
  tinyData,
  tinyEvents,
  tinyItems,
  tinyModel,
  tinyRun,
  tinyText as text,
  tinyVocabularySize as vocabularySize,
} from './tiny-run.js';

// B batch, I ids of items, R rows that predict, V vocabulary.

const folder = testFolder();
const runtime = testRuntime();
const catalogue = new Map(tinyItems.map((item) => [item.item, item]));

const reference = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data: Float64Array.from(data, Number) });

/** Titles with a choice at several tokens, one that another begins with, two that are the same, one without events. */
const branching: Item[] = [
  ['i0', 'Red Fox'],
  ['i1', 'Red Fox Two'],
  ['i2', 'Red Owl'],
  ['i3', 'Blue'],
  ['i4', 'Blue'],
  ['i5', 'Red Fox Two, again'],
  ['never seen', 'Red Fir'],
].map(([item, title]) => ({ item: item!, title: title! }));

describe('what an encoder expects of a title', () => {
  it('is at each choice the share of the items that may still come, and of a free answer the answer itself', async () => {
    const data = await tokenized(await dataInMemory(tinyEvents, branching), tinyModel.events, featureKinds);
    const titles = titleTrie(text, branching);
    const expectation = new TitleExpectation(titles, data, 'item');
    const form = { kind: 'context' } as const;
    const examples = ['Red Fox Two', 'Drama', 'Blue', 'Red Fir', 'Red Fox'].map((target, at) =>
      tokenExample(asked(target), form, text, data.catalogue, 200, at === 1 ? undefined : titles),
    );
    const cut = tokenExample({ ...asked('Red Fox Two'), instruction: '' }, form, text, data.catalogue, 8, titles);
    const whole = tokenExample({ ...asked('Red Fox Two'), instruction: '' }, form, text, data.catalogue, 200, titles);
    expect(cut.choices.length).toBeLessThan(whole.choices.length);
    examples.push(cut);
    const batch = 7;
    const { rows, labels } = answerFeeds(examples, { batchSize: batch, tokenBuckets: [64], vocabularySize });
    const feeds = expectation.feeds(examples, rows.shape[0]!, vocabularySize);
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const inputs = expectationInputs(shapes)!;
    const { fitted } = data.tokenizer.feature('item');
    const scores_BI = input('scores', 'float32', ['batch', 'item'], [batch, fitted.size]);
    const scores = Random.fromSeed(3).normal(new Float64Array(batch * fitted.size));
    const { expected } = evaluate(
      graph([scores_BI, ...Object.values(inputs)] as Symbolic[], {
        expected: expectedTokens(scores_BI, inputs, vocabularySize),
      }),
      {
        scores: { dtype: 'float32', shape: [batch, fitted.size], data: scores },
        ...Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, reference(tensor)])),
      },
    );
    const rowAt = (row: number) => expected!.data.slice(row * vocabularySize, (row + 1) * vocabularySize);
    const id = new Int32Array(1);
    const places = new Set<number>();
    let row = 0;
    examples.forEach(({ answer, choices }, user) => {
      for (const { at, among } of choices) {
        const shares = new Float64Array(vocabularySize);
        for (const { item, title } of branching) {
          fitted.encode(item, id, 0);
          const tokens = encodeAnswer(text, title!);
          const mayCome = among && tokens.slice(0, at).join() === answer.slice(0, at).join();
          if (!mayCome || id[0]! <= reservedIds.mask) continue;
          shares[tokens[at]!]! += Math.exp(scores[user * fitted.size + id[0]!]!);
        }
        if (!among) shares[answer[at]!] = 1;
        else places.add(at);
        const all = shares.reduce((sum, share) => sum + share, 0);
        expect(all).toBeGreaterThan(0);
        rowAt(row++).forEach((share, token) => {
          expect(share).toBeCloseTo(shares[token]! / all, 10);
        });
      }
    });
    expect(places.size).toBeGreaterThan(2);
    expect(row).toBe(Array.from(labels.data, Number).filter((label) => label !== -100).length);
    // What is left only fills up.
    expect(expected!.data.slice(row * vocabularySize).every((share) => share === 0)).toBe(true);
  });

  it('is the label where none of the items that go on is known', async () => {
    const strangers = [...branching, { item: 'unknown', title: 'Red Fir tree' }];
    const data = await tokenized(await dataInMemory(tinyEvents, strangers), tinyModel.events, featureKinds);
    const titles = titleTrie(text, strangers);
    const example = tokenExample(asked('Red Fir'), { kind: 'context' }, text, data.catalogue, 200, titles);
    const feeds = new TitleExpectation(titles, data, 'item').feeds([example], 32, vocabularySize);
    const targets = feeds['expected.targets']!;
    const width = targets.shape[1]!;
    const last = example.choices.length - 1;
    const row = Array.from(targets.data, Number).slice(last * width, (last + 1) * width);
    expect(row.slice(0, -1).every((target) => target === -1)).toBe(true);
    expect(row.at(-1)).toBe(last * vocabularySize + example.answer[example.choices[last]!.at]!);
  });

  it('is not to be had of an encoder that does not tell items apart, or knows none', async () => {
    const titles = titleTrie(text, branching);
    const events = { ...tinyModel.events, item: { kind: 'id', hashBuckets: 2, minimumCount: 1000 } };
    const hashed = await tokenized(await dataInMemory(tinyEvents, branching), events, featureKinds);
    expect(() => new TitleExpectation(titles, hashed, 'item')).toThrow('one id for');
    const data = await tokenized(await dataInMemory(tinyEvents, branching), tinyModel.events, featureKinds);
    const others = titleTrie(text, [{ item: 'never seen', title: 'Red Fir' }]);
    expect(() => new TitleExpectation(others, data, 'item')).toThrow('none of them');
  });
});

const model = {
  ...tinyModel,
  compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2, recency: 2, readLatents: false } },
  fusion: { name: 'cross-attention', config: { heads: 2, initialGate: 0.5 } },
  titles: 'constrained',
} as const;

const tune: Extract<RunConfigInput['stages'][number], { readonly kind: 'tune' }> = {
  kind: 'tune',
  strategy: 'full',
  budget: { steps: 250 },
  batchSize: 8,
  maximumTokens: 40,
  tasks: [{ name: 'next-item' }],
  teacher: 'encoder',
  optimizer: { learningRate: 0.01, schedule: { warmUpSteps: 10 } },
};

const pretrain = {
  kind: 'pretrain',
  budget: { steps: 150 },
  batchSize: 16,
  optimizer: { learningRate: 0.01 },
} as const;
const align = {
  kind: 'align',
  budget: { steps: 150 },
  batchSize: 8,
  maximumTokens: 32,
  optimizer: { learningRate: 0.01 },
} as const;

const run = (stages: RunConfigInput['stages'], parts: object = {}) =>
  tinyRun({ model: { ...model, ...parts }, stages });

/** How far what an LLM finds likely is from what the encoder does: the mean divergence of Kullback and Leibler, in nats. */
async function divergence(userLlm: UserLlm, prompt: string, reader: (user: number) => number): Promise<number> {
  const users = Array.from({ length: 40 }, (_, user) => tinyEvents.filter((event) => event.user === `u${user}`));
  const histories = users.map((events) => events.slice(0, -1));
  const questions = histories.map((_, user) => ({ user: histories[reader(user)]!, prompt }));
  const ranked = await userLlm.rankTitles(questions, { count: tinyItems.length, beamWidth: 100 });
  const scores = await userLlm.itemScores(histories);
  const places = new Map(userLlm.catalogue.map(({ item }, place) => [item, place]));
  const all = ranked.map((items, user) => {
    const chances = scores[user]!.map(Math.exp);
    const total = chances.reduce((sum, chance) => sum + chance, 0);
    return items.reduce((sum, { item, score }) => {
      const expected = chances[places.get(item)!]! / total;
      return sum + expected * (Math.log(expected) - score);
    }, 0);
  });
  return all.reduce((sum, each) => sum + each, 0) / all.length;
}

describe('tuning by a teacher', () => {
  it('teaches the LLM how likely the encoder finds each item, and leaves the encoder as it is', async () => {
    const data = await tinyData();
    const bare = { ...tune, form: { kind: 'context', instruction: false } } as const;
    const trained = async (name: string, ...last: (typeof tune)[]): Promise<UserLlm> => {
      await runTraining(run([pretrain, align, ...last]), {
        folder: join(folder, name),
        data,
        runtime: await runtime(),
      });
      return UserLlm.load(join(folder, name, 'model'), { runtime: await runtime() });
    };
    const taught = await trained('taught', bare);
    const own = await divergence(taught, '', (user) => user);
    expect(own).toBeLessThan(0.8);
    expect(await divergence(taught, '', (user) => (user + 1) % 40)).toBeGreaterThan(2 * own);
    const told = await trained('told', { ...bare, teacher: undefined });
    expect(await divergence(told, '', (user) => user)).toBeGreaterThan(1.5 * own);
    const before = await trained('before');
    expect(taught.encoderHash).toBe(before.encoderHash);
    expect(told.encoderHash).not.toBe(before.encoderHash);
    await before.dispose();
    await taught.dispose();
    await told.dispose();
  }, 180_000);

  it('drops nothing of an encoder that teaches', async () => {
    const encoder = { ...tinyModel.encoder, config: { ...tinyModel.encoder.config, dropout: 0.5 } };
    const { config } = run([tune], { encoder });
    const data = await tokenized(await dataInMemory(tinyEvents, tinyItems), tinyModel.events, featureKinds);
    const registry = userLlmRegistry();
    const built = buildModel(config.model, registry, data, text);
    const inputs = { model: built, data, text, item: 'item', registry, runtime: await runtime(), seed: 5 };
    const lossOf = async (teacher: 'encoder' | undefined, seed: number): Promise<number> => {
      const { task } = tuneStage(tuneConfig.parse({ ...tune, teacher }), inputs);
      const { value } = await task.batches(undefined)[Symbol.asyncIterator]().next();
      const { feeds } = value as { readonly feeds: Readonly<Record<string, Tensor>> };
      const { tree, named } = parameterInputs(task.parameters);
      const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
      const { inputs: fed, loss } = task.loss(tree as never, shapes as Readonly<Record<string, readonly number[]>>);
      const given = { ...initializeParameters(task.parameters, Random.fromSeed(2)), ...feeds };
      const results = evaluate(graph([...fed, ...Object.values(named)], { loss }), {
        ...Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, reference(tensor)])),
        seed: { dtype: 'int32', shape: [], data: Float64Array.of(seed) },
      });
      return results['loss']!.data[0]!;
    };
    expect(await lossOf('encoder', 1)).toBe(await lossOf('encoder', 2));
    expect(await lossOf(undefined, 1)).not.toBe(await lossOf(undefined, 2));
  });

  it('goes on with the bits it was stopped with, beside a task that is learned by its labels', async () => {
    const data = await tinyData();
    const both = {
      ...tune,
      firstChoiceShare: 0.75,
      budget: { steps: 12 },
      tasks: [{ name: 'next-item' }, { name: 'favourite-genre' }],
    };
    const options = { data, runtime: await runtime() };
    const whole = join(folder, 'whole');
    await runTraining(run([both]), { ...options, folder: whole });
    const stopped = join(folder, 'stopped');
    const stop = new AbortController();
    const onProgress = ({ step }: { readonly step: number }) => void (step === 5 && stop.abort());
    const first = await runTraining(run([both]), { ...options, folder: stopped, onProgress, signal: stop.signal });
    expect(first).toMatchObject({ status: 'stopped' });
    await runTraining(run([both]), { ...options, folder: stopped });
    const weights = (from: string) => readFile(join(from, 'model', 'weights.safetensors'));
    expect((await weights(stopped)).equals(await weights(whole))).toBe(true);
  });

  it('is validated by what came, as tuning without a teacher is', async () => {
    const options = { data: await tinyData(), runtime: await runtime() };
    const figures = async (name: string, parts: Partial<typeof tune>): Promise<unknown> => {
      const validation = { every: 1, examples: 10 };
      const still = {
        ...tune,
        teacher: undefined,
        ...parts,
        budget: { steps: 1 },
        optimizer: { learningRate: 1e-12 },
        validation,
      };
      await runTraining(run([still]), { ...options, folder: join(folder, name) });
      const lines = (await readFile(join(folder, name, 'figures.jsonl'), 'utf8')).trim().split('\n');
      const figures = lines.map((line) => JSON.parse(line) as Record<string, number>);
      return figures.map((line) => line['tune/validation/loss']).find((loss) => loss !== undefined);
    };
    const plain = await figures('validated plainly', {});
    expect(plain).toBeGreaterThan(0);
    expect(await figures('validated', { teacher: 'encoder' })).toBeCloseTo(plain as number, 6);
    expect(await figures('first choices', { firstChoiceShare: 1 })).toBeCloseTo(plain as number, 6);
  });

  it('wants constrained titles, and a user whom the encoder reads', async () => {
    const data = await tinyData();
    const given = runtime();
    const optionsOf = async (name: string) => ({ folder: join(folder, name), data, runtime: await given });
    await expect(runTraining(run([tune], { titles: 'free' }), await optionsOf('free'))).rejects.toMatchObject({
      code: 'bad-config',
    });
    expect(() =>
      run([
        {
          ...tune,
          tasks: [{ name: 'next-item' }, { name: 'favourite-genre' }],
          form: { kind: 'context', instruction: false },
        },
      ]),
    ).toThrow('must be there with several tasks');
    const genres = [{ ...tune, tasks: [{ name: 'favourite-genre' }] }];
    await expect(runTraining(run(genres), await optionsOf('genres'))).rejects.toMatchObject({ code: 'bad-config' });
    expect(() => run([{ ...tune, form: { kind: 'text', lastEvents: 3 } }])).toThrow('needs the form context');
  });
});

describe('an example without its instruction', () => {
  it('is the answer to an empty question', () => {
    const form = { kind: 'context', instruction: false } as const;
    const example = tokenExample(asked('Film Q'), form, text, catalogue, 200);
    const prompt = encodePrompt(text, '');
    expect(example.tokens).toEqual([...prompt, ...encodeAnswer(text, 'Film Q').slice(0, -1)]);
    expect(example.from).toBe(prompt.length - 1);
  });
});
