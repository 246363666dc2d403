import { add, cast, constant, gather, multiply, range, reshape, subtract, sum, type Float } from '@user-llm/graph';
import { loadTokenizer, trainBpe } from '@user-llm/llm';
import { nextItemTask } from '@user-llm/tasks';
import { featureKinds } from '@user-llm/tokenization';
import type { UserEncoderModule } from '@user-llm/plugin';
import { Random, Tensor } from '@user-llm/tensor';
import { encodeAnswer, encodePrompt, titleTrie } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { dataInMemory, defineRun, isDecayed, learningRateShare, parseRunConfig } from '../src/index.js';
import { TaskExamples } from '../src/data/task-examples.js';
import { tokenized } from '../src/data/training-data.js';
import type { TrainingBatch } from '../src/loop/training-task.js';
import { configHash } from '../src/run/config-hash.js';
import { packedBatches } from '../src/stages/language/packed-sequences.js';
import { NextItemValidation } from '../src/stages/pretrain/next-item-validation.js';
import { answerFeeds, defaultTokenBuckets } from '../src/stages/tune/answer-feeds.js';
import { tuneBatches, tuneFeeds, readyExample, type TuneBatching } from '../src/stages/tune/tune-batches.js';
import { tokenExample } from '../src/stages/tune/token-example.js';
import { testRuntime } from './support.js';
import { tinyEvents, tinyItems, tinyModel } from './tiny-run.js';

const runtime = testRuntime();
const split = { kind: 'leave-last-out', validation: 1, seed: 0 } as const;
const data = async () => tokenized(await dataInMemory(tinyEvents, tinyItems, split), tinyModel.events, featureKinds);
const text = loadTokenizer(
  trainBpe(
    tinyItems.map(({ title }) => title!),
    { vocabularySize: 300 },
  ),
);

async function first(batches: AsyncIterable<TrainingBatch>, count: number): Promise<TrainingBatch[]> {
  const taken: TrainingBatch[] = [];
  for await (const batch of batches) if (taken.push(batch) === count) break;
  return taken;
}

/** An encoder whose scores are drawn for each last event; it learns nothing. */
function drawnEncoder(size: number): {
  readonly encoder: UserEncoderModule;
  readonly scoresAfter: (id: number) => Float32Array;
} {
  const maximumEvents = 5;
  // Few values, so that there are ties.
  const scores = Float32Array.from(Random.fromSeed(8).integers(size * size, 9));
  const table = constant(new Tensor('float32', ['id', 'item'] as const, [size, size], scores));
  const nextItem: UserEncoderModule['nextItem'] = (_, { features, mask }) => {
    const [batch] = mask.shape as readonly [number];
    const lengths = cast(sum(cast(mask, 'float32'), 'event') as Float<readonly ['batch']>, 'int32');
    const ids = reshape(features['item']!, ['row'], [batch * maximumEvents]);
    const places = add(multiply(range('batch', batch), maximumEvents), subtract(lengths, 1));
    return gather(table, gather(ids, places) as never) as never;
  };
  const none = () => {
    throw new Error('not asked for');
  };
  const encoder: UserEncoderModule = { parameters: {}, userWidth: 1, maximumEvents, apply: none, loss: none, nextItem };
  return { encoder, scoresAfter: (id) => scores.subarray(id * size, (id + 1) * size) };
}

const plain = (tensor: Tensor): number[] => Array.from(tensor.data, Number);

describe('next items of an encoder', () => {
  it('rank against all items but the seen ones, after the history with the validation item when tested', async () => {
    const tokenizedData = await data();
    const { timelines, tokenizer } = tokenizedData;
    const size = tokenizer.sizeOf('item');
    const { scoresAfter, encoder } = drawnEncoder(size);
    for (const part of ['validation', 'test'] as const) {
      const inputs = {
        encoder,
        data: tokenizedData,
        item: 'item',
        part,
        users: null,
        seed: 1,
        runtime: await runtime(),
      };
      const validation = new NextItemValidation(inputs);
      const figures = await validation.figures({});
      await validation.dispose();
      let hits = 0;
      let gain = 0;
      for (let user = 0; user < timelines.users; user++) {
        const ids = [...timelines.timeline(user).columns['item']!];
        const target = ids.length - (part === 'test' ? 1 : 2);
        const scores = scoresAfter(ids[target - 1]!);
        const seen = new Set(ids.slice(0, target));
        let rank = 1;
        for (let id = 3; id < size; id++) {
          if (id !== ids[target] && !seen.has(id) && scores[id]! >= scores[ids[target]!]!) rank++;
        }
        if (rank <= 10) {
          hits++;
          gain += 1 / Math.log2(1 + rank);
        }
      }
      expect(figures['hr@10']).toBeCloseTo(hits / timelines.users, 10);
      expect(figures['ndcg@10']).toBeCloseTo(gain / timelines.users, 10);
    }
  });
});

describe('tokens of an example', () => {
  const example = {
    task: 'next-item',
    template: 'next-item@1#0',
    user: 'u',
    history: tinyEvents.slice(0, 5),
    instruction: 'Which item does this user choose next?',
    target: 'Film Q',
  };
  const catalogue = new Map(tinyItems.map((item) => [item.item, item]));

  it('are the prompt, then the answer, of which each token is predicted at the one before it', () => {
    const { tokens, from, answer } = tokenExample(example, { kind: 'context' }, text, catalogue, 200);
    const prompt = encodePrompt(text, example.instruction);
    expect(answer).toEqual(encodeAnswer(text, example.target));
    expect(tokens).toEqual([...prompt, ...answer.slice(0, -1)]);
    expect(from).toBe(prompt.length - 1);
  });

  it('tell fewer events where they do not fit, and cut an answer that is too long', () => {
    const form = { kind: 'text', lastEvents: 5, fields: ['categories', 'rating'] } as const;
    const all = tokenExample(example, form, text, catalogue, 1000);
    const some = tokenExample(example, form, text, catalogue, all.tokens.length - 5);
    expect(some.tokens.length).toBeLessThan(all.tokens.length);
    expect(some.answer).toEqual(all.answer);
    const long = { ...example, target: 'never ending '.repeat(50) };
    const cut = tokenExample(long, { kind: 'context' }, text, catalogue, 120);
    expect(cut.tokens).toHaveLength(120);
    expect(cut.from + cut.answer.length).toBe(120);
  });

  it('become a batch of few shapes', () => {
    const examples = [
      { tokens: [5, 6, 7], from: 1, answer: [7, 2], choices: [{ at: 0 }, { at: 1 }] },
      { tokens: [5, 8], from: 1, answer: [2], choices: [{ at: 0 }] },
    ];
    const feeds = answerFeeds(examples, { batchSize: 3, tokenBuckets: [4, 8] });
    expect(feeds.tokens.shape).toEqual([3, 4]);
    expect(plain(feeds.tokens)).toEqual([5, 6, 7, 0, 5, 8, 0, 0, 0, 0, 0, 0]);
    expect(plain(feeds.rows)).toEqual([1, 2, 5, ...new Array<number>(29).fill(0)]);
    expect(plain(feeds.labels)).toEqual([7, 2, 2, ...new Array<number>(29).fill(-100)]);
    expect(defaultTokenBuckets(200)).toEqual([16, 32, 48, 64, 80, 104, 136, 176, 200]);
  });

  it('of a constrained title are those up to the last choice, of another answer all', () => {
    const trie = titleTrie(text, tinyItems);
    const form = { kind: 'context' } as const;
    const title = tokenExample(example, form, text, catalogue, 200, trie);
    const whole = encodeAnswer(text, example.target);
    expect(title.answer).toEqual(whole.slice(0, title.answer.length));
    expect(title.answer.length).toBeLessThan(whole.length);
    expect(title.choices.at(-1)!.at).toBe(title.answer.length - 1);
    expect(title.choices.length).toBeLessThan(title.answer.length);
    const other = { ...example, target: 'Drama' };
    const free = tokenExample(other, form, text, catalogue, 200, trie);
    expect(free).toEqual(tokenExample(other, form, text, catalogue, 200));
    const feeds = answerFeeds([title, free], { batchSize: 2, tokenBuckets: [64], vocabularySize: 320 });
    const labels = plain(feeds.labels).filter((label) => label !== -100);
    expect(labels).toEqual([...title.choices.map(({ at }) => title.answer[at]!), ...free.answer]);
    const sizes = labels.map((_, row) =>
      plain(feeds['allowed']!)
        .slice(320 * row, 320 * (row + 1))
        .reduce((sum, each) => sum + each),
    );
    expect(sizes).toEqual([...title.choices.map(({ among }) => among!.length), ...free.answer.map(() => 320)]);
  });

  it('predict eight tokens a row, 32 rows at least, or twice that as often as needed', () => {
    const rowsOf = (lengths: readonly number[], constrained = false): number => {
      const examples = lengths.map((length) => ({
        tokens: new Array<number>(length).fill(9),
        from: 0,
        answer: new Array<number>(length).fill(9),
        choices: Array.from({ length }, (_, at) => ({ at })),
      }));
      const { rows, labels } = answerFeeds(examples, {
        batchSize: constrained ? 40 : 3,
        tokenBuckets: [64],
        ...(constrained && { vocabularySize: 10 }),
      });
      expect(plain(labels).filter((label) => label === 9)).toHaveLength(lengths.reduce((sum, length) => sum + length));
      expect(labels.shape).toEqual(rows.shape);
      return rows.shape[0]!;
    };
    expect([[1], [8, 8, 8], [9, 8, 8], [16, 16, 16], [64], [64, 32, 1]].map((lengths) => rowsOf(lengths))).toEqual([
      32, 32, 32, 64, 64, 128,
    ]);
    // Where tokens are chosen among some, one a row.
    expect([[1], [20, 20], [20, 21], [40, 40], [40, 41]].map((lengths) => rowsOf(lengths, true))).toEqual([
      40, 40, 80, 80, 160,
    ]);
  });
});

describe('batches of examples', () => {
  it('go on from any cursor, and hold examples of similar length', async () => {
    const tokenizedData = await data();
    const tasks = [{ task: nextItemTask(), weight: 1 }];
    const source = new TaskExamples({
      data: tokenizedData,
      tasks,
      part: 'train',
      sampling: 'events',
      maximumEvents: 6,
      seed: 3,
    });
    const form = { kind: 'text', lastEvents: 6, fields: [] } as const;
    const batching: TuneBatching = {
      data: tokenizedData,
      text,
      form,
      maximumEvents: 6,
      maximumTokens: 250,
      batchSize: 4,
      tokenBuckets: defaultTokenBuckets(250),
    };
    const all = await first(tuneBatches(source, batching, 3, 3, undefined), 8);
    for (const [at, { cursor }] of all.slice(0, -1).entries()) {
      const [next] = await first(tuneBatches(source, batching, 3, 3, cursor), 1);
      expect(next).toEqual(all[at + 1]);
    }
    const lengths = all.slice(0, 3).map(({ feeds }) => feeds['tokens']!.shape[1]!);
    expect(new Set(lengths).size).toBeGreaterThan(1);
    expect(Object.keys(all[0]!.feeds)).toEqual(['tokens', 'rows', 'labels']);

    // With a context the events before each place come along, and nobody's where nobody is asked about.
    const withContext = { ...batching, form: { kind: 'context' } as const };
    const examples = Array.from({ length: 4 }, (_, number) => readyExample(source.at(number), withContext));
    const lengthsOf = (feeds: Record<string, Tensor>) => {
      const mask = plain(feeds['events.mask']!);
      return Array.from({ length: 4 }, (_, row) => mask.slice(6 * row, 6 * row + 6).reduce((a, b) => a + b, 0));
    };
    expect(lengthsOf(tuneFeeds(examples, withContext))).toEqual(examples.map(({ position }) => Math.min(6, position)));
    expect(lengthsOf(tuneFeeds(examples, withContext, [undefined, examples[0], undefined, undefined]))).toEqual([
      0,
      Math.min(6, examples[0]!.position),
      0,
      0,
    ]);
  });
});

describe('packed texts', () => {
  const texts = Array.from({ length: 9 }, (_, at) => Array.from({ length: 3 + at }, (__, token) => 100 * at + token));

  it('go on from any cursor, in another order each epoch; labels are the tokens after', async () => {
    const shape = { batchSize: 2, sequenceTokens: 6 };
    const all = await first(packedBatches(texts, shape, 4, undefined), 10);
    for (const [at, { cursor }] of all.slice(0, -1).entries()) {
      const [next] = await first(packedBatches(texts, shape, 4, cursor), 1);
      expect(next).toEqual(all[at + 1]);
    }
    const { tokens, labels } = all[0]!.feeds;
    expect(plain(labels!).slice(0, -1)).toEqual(plain(tokens!).slice(1));
    // 63 tokens fill five batches of twelve and a label.
    expect(all.map(({ cursor }) => (cursor as { epoch: number }).epoch)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    expect(plain(all[5]!.feeds['tokens']!)).not.toEqual(plain(tokens!));
  });

  it('too few for a batch are refused', async () => {
    const few = first(packedBatches(texts, { batchSize: 8, sequenceTokens: 8 }, 4, undefined), 1);
    await expect(few).rejects.toMatchObject({ code: 'no-texts' });
  });
});

describe('the learning rate', () => {
  it('rises over the warm-up and falls over the budget', () => {
    const share = (kind: 'constant' | 'linear' | 'cosine', step: number, progress: number) =>
      learningRateShare({ kind, warmUpSteps: 10, final: 0.2 }, step, progress);
    expect(share('constant', 4, 0)).toBe(0.5);
    expect(share('constant', 99, 1)).toBe(1);
    expect(share('linear', 99, 0.5)).toBeCloseTo(0.6, 12);
    expect(share('cosine', 99, 0)).toBe(1);
    expect(share('cosine', 99, 0.5)).toBeCloseTo(0.6, 12);
    expect(share('cosine', 99, 1)).toBeCloseTo(0.2, 12);
  });
});

describe('weight decay', () => {
  it.each([
    ['llm.model.layers.0.self_attn.q_proj.weight', [8, 8], true],
    ['llm.model.layers.0.mlp.gate_proj.weight', [8, 8], true],
    ['llm.model.embed_tokens.weight', [8, 8], false],
    ['llm.model.norm.weight', [8], false],
    ['encoder.features.item.weight', [8, 8], false],
    ['encoder.positions.weight', [8, 8], false],
    ['compressor.latents', [8, 8], false],
    ['fusion.layers.0.gate', [], false],
    ['lora.model.layers.0.self_attn.q_proj.lora_A.weight', [2, 8], true],
  ])('of %s %j: %s', (name, shape, expected) => {
    expect(isDecayed(name, { shape })).toBe(expected);
  });
});

describe('configs', () => {
  it('are checked whole, with every wrong field named', () => {
    const wrong = {
      model: { events: { item: { kind: 'id' } }, encoder: {} },
      stages: [{ kind: 'pretrain', budget: {}, batchSize: 0 }, { kind: 'dance' }],
      sead: 1,
    };
    try {
      parseRunConfig(wrong);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-config' });
      for (const named of ['encoder.name', 'batchSize', 'steps, minutes', 'stages[1].kind', 'sead']) {
        expect((error as Error).message).toContain(named);
      }
    }
  });

  it('want names for two stages of a kind', () => {
    const stage = { kind: 'pretrain', budget: { steps: 1 } } as const;
    const twice = () => defineRun({ model: tinyModel, stages: [stage, stage] });
    expect(twice).toThrow(expect.objectContaining({ code: 'bad-config', message: expect.stringContaining('names') }));
  });

  it('have a hash that does not depend on the order of their fields', () => {
    expect(configHash({ a: 1, b: [{ c: 2, d: undefined }] })).toBe(configHash({ b: [{ c: 2 }], a: 1 }));
    expect(configHash([1, 2])).not.toBe(configHash([2, 1]));
  });
});
