import { join } from 'node:path';
import { evaluate, graph, input, type Symbolic } from '@user-llm/graph';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import { featureKinds } from '@user-llm/tokenization';
import { Random, type Tensor } from '@user-llm/tensor';
import { encodeAnswer, encodePrompt, titleTrie, UserLlm } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { dataInMemory, runTraining, type RunConfigInput } from '../src/index.js';
import { tokenized } from '../src/data/training-data.js';
import { answerFeeds } from '../src/stages/tune/answer-feeds.js';
import { expectationInputs, expectedTokens, TitleExpectation } from '../src/stages/tune/encoder-expectation.js';
import { tokenExample } from '../src/stages/tune/token-example.js';
import { testFolder, testRuntime } from './support.js';
import { tinyData, tinyEvents, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

// B batch, I ids of items, R rows that predict, V vocabulary.

const folder = testFolder();
const runtime = testRuntime();
const vocabularySize = 300;
const text = loadTokenizer(
  trainBpe(
    tinyItems.map(({ title }) => title!),
    { vocabularySize },
  ),
);
const catalogue = new Map(tinyItems.map((item) => [item.item, item]));
const trie = titleTrie(text, tinyItems);

const asked = (target: string) => ({
  task: 'next-item',
  template: 'next-item@1#0',
  user: 'u',
  history: tinyEvents.slice(0, 5),
  instruction: 'Which item does this user choose next?',
  target,
});

const reference = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, data: Float64Array.from(data, Number) });

describe('what an encoder expects of a title', () => {
  it('is at each choice the share of the items that may still come, and of a free answer the answer itself', async () => {
    const data = await tokenized(await dataInMemory(tinyEvents, tinyItems), tinyModel.events, featureKinds);
    const expectation = new TitleExpectation(trie, text, data, 'item');
    const form = { kind: 'context' } as const;
    const examples = [tinyItems[3]!.title!, 'Drama', tinyItems[17]!.title!].map((target, at) =>
      tokenExample(asked(target), form, text, catalogue, 200, at === 1 ? undefined : trie),
    );
    const { rows, labels } = answerFeeds(examples, { batchSize: 3, tokenBuckets: [64], vocabularySize });
    const feeds = expectation.feeds(examples, rows.shape[0]!, vocabularySize);
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const inputs = expectationInputs(shapes)!;
    const { fitted } = data.tokenizer.feature('item');
    const scores_BI = input('scores', 'float32', ['batch', 'item'], [3, fitted.size]);
    const scores = Random.fromSeed(3).normal(new Float64Array(3 * fitted.size));
    const { expected } = evaluate(
      graph([scores_BI, ...Object.values(inputs)] as Symbolic[], {
        expected: expectedTokens(scores_BI, inputs, vocabularySize),
      }),
      {
        scores: { dtype: 'float32', shape: [3, fitted.size], data: scores },
        ...Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, reference(tensor)])),
      },
    );
    const rowAt = (row: number) => expected!.data.slice(row * vocabularySize, (row + 1) * vocabularySize);
    const id = new Int32Array(1);
    let row = 0;
    examples.forEach(({ answer, choices }, user) => {
      for (const { at, among } of choices) {
        const shares = new Float64Array(vocabularySize);
        for (const { item, title } of tinyItems) {
          fitted.encode(item, id, 0);
          const tokens = encodeAnswer(text, title!);
          if (!among || tokens.slice(0, at).join() !== answer.slice(0, at).join()) continue;
          shares[tokens[at]!]! += Math.exp(scores[user * fitted.size + id[0]!]!);
        }
        if (!among) shares[answer[at]!] = 1;
        const all = shares.reduce((sum, share) => sum + share, 0);
        rowAt(row++).forEach((share, token) => {
          expect(share).toBeCloseTo(shares[token]! / all, 10);
        });
      }
    });
    expect(row).toBe(Array.from(labels.data, Number).filter((label) => label !== -100).length);
    expect(row).toBeGreaterThan(5);
    // What is left only fills up.
    expect(expected!.data.slice(row * vocabularySize).every((share) => share === 0)).toBe(true);
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
  optimizer: { learningRate: 0.01, factors: { 'encoder.*': 0 }, schedule: { warmUpSteps: 10 } },
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

describe('tuning by a teacher', () => {
  it('teaches the LLM how likely the encoder finds each item, with the question and without', async () => {
    const own = join(folder, 'taught');
    const bare = { ...tune, name: 'bare', form: { kind: 'context', instruction: false } } as const;
    await runTraining(run([pretrain, align, bare, tune]), {
      folder: own,
      data: await tinyData(),
      runtime: await runtime(),
    });
    const userLlm = await UserLlm.load(join(own, 'model'), { runtime: await runtime() });
    const users = Array.from({ length: 40 }, (_, user) => tinyEvents.filter((event) => event.user === `u${user}`));
    const divergence = async (prompt: string, reader: (user: number) => number): Promise<number> => {
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
    };
    const { recommendPrompt } = userLlm.parts;
    const taught = await divergence(recommendPrompt, (user) => user);
    expect(taught).toBeLessThan(0.6);
    expect(await divergence(recommendPrompt, (user) => (user + 1) % users.length)).toBeGreaterThan(2 * taught);
    await userLlm.dispose();
  }, 180_000);

  it('wants constrained titles, and a user whom the encoder reads', async () => {
    const data = await tinyData();
    const given = runtime();
    const optionsOf = async (name: string) => ({ folder: join(folder, name), data, runtime: await given });
    await expect(runTraining(run([tune], { titles: 'free' }), await optionsOf('free'))).rejects.toMatchObject({
      code: 'bad-config',
    });
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
