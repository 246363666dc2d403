import type { Item } from '@user-llm/plugin';
import { featureKinds } from '@user-llm/tokenization';
import type { Tensor } from '@user-llm/tensor';
import { encodePrompt, titleTrie, userLlmRegistry } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { dataInMemory, runTraining, type RunConfigInput } from '../src/index.js';
import { TaskExamples } from '../src/data/task-examples.js';
import { tokenized } from '../src/data/training-data.js';
import type { TrainingBatch } from '../src/loop/training-task.js';
import { alignBatches, namedItems } from '../src/stages/align/align-batches.js';
import { firstChoice, inShare } from '../src/stages/tune/first-choice.js';
import { tokenExample } from '../src/stages/tune/token-example.js';
import { tuneBatches, type TuneBatching } from '../src/stages/tune/tune-batches.js';
import { first, testFolder, testRuntime } from './support.js';
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

const folder = testFolder();
const runtime = testRuntime();
/** Films in pairs: a title has two choices. */
const paired = tinyItems.map((item, at) => ({
  ...item,
  title: `Film ${String.fromCharCode(65 + Math.floor(at / 2))}${at % 2 === 0 ? '' : ' again'}`,
}));
const catalogue = new Map(tinyItems.map((item) => [item.item, item]));
const share = 0.75;

const labelsOf = ({ feeds }: TrainingBatch): number =>
  Array.from(feeds['labels']!.data, Number).filter((label) => label !== -100).length;

describe('a share of batches', () => {
  it('is spread evenly', () => {
    const drawn = (of: number) => Array.from({ length: 12 }, (_, batch) => inShare(batch, of));
    expect(drawn(0.75).map(Number)).toEqual([0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]);
    expect(drawn(0)).not.toContain(true);
    expect(drawn(1)).not.toContain(false);
    expect(drawn(0.1).filter(Boolean)).toHaveLength(1);
  });
});

describe('the first choice of a title', () => {
  const titlesOf = (...titles: string[]) =>
    titleTrie(
      text,
      titles.map((title, at): Item => ({ item: `i${at}`, title })),
    );
  const exampleOf = (target: string, ...titles: string[]) =>
    tokenExample(asked(target), { kind: 'context' }, text, catalogue, 200, titlesOf(...titles));

  it('is where titles part, and the tokens before it are given', () => {
    const whole = exampleOf('Film Q', 'Film Q', 'Film QQ', 'Film R');
    expect(whole.choices).toHaveLength(2);
    const cut = firstChoice(whole);
    const { at } = whole.choices[0]!;
    expect(at).toBeGreaterThan(0);
    expect(cut.choices).toEqual([whole.choices[0]]);
    expect(cut.answer).toEqual(whole.answer.slice(0, at + 1));
    expect(cut.tokens).toEqual([...encodePrompt(text, asked('').instruction), ...whole.answer.slice(0, at)]);
    expect(cut.from).toBe(whole.from);
    expect(firstChoice(cut)).toEqual(cut);
  });

  it('leaves a free answer, and a title with nothing to choose, as they are', () => {
    const free = exampleOf('Drama', 'Film Q', 'Film R');
    expect(free.choices.length).toBeGreaterThan(1);
    expect(firstChoice(free)).toBe(free);
    const only = exampleOf('Film Q', 'Film Q');
    expect(only.choices).toEqual([]);
    expect(firstChoice(only)).toBe(only);
  });
});

describe('batches that ask first choices', () => {
  it('are as many of those of alignment as the share says, of the same items', async () => {
    const data = await tokenized(await dataInMemory(tinyEvents, paired), tinyModel.events, featureKinds);
    const items = namedItems(data, 'item', text, 64, titleTrie(text, paired));
    const sizes = { batchSize: 4, events: 1, maximumTokens: 64, vocabularySize };
    const choices = new Map(items.map(({ item, example }) => [item, example.choices.length]));
    const all = await first(alignBatches(items, sizes, 3, undefined), 12);
    const some = await first(alignBatches(items, { ...sizes, firstChoiceShare: share }, 3, undefined), 12);
    expect(some.map(({ contents }) => contents)).toEqual(all.map(({ contents }) => contents));
    some.forEach((batch, at) => {
      const whole = (batch.contents as string[]).reduce((sum, item) => sum + choices.get(item)!, 0);
      expect(whole).toBeGreaterThan(4);
      expect(labelsOf(batch)).toBe(inShare(at, share) ? 4 : whole);
      if (!inShare(at, share)) expect(batch).toEqual(all[at]);
    });
    const widths = some.map(({ feeds }) => feeds['tokens']!.shape[1]!);
    expect(Math.min(...widths)).toBeLessThan(Math.max(...widths));
    const [next] = await first(alignBatches(items, { ...sizes, firstChoiceShare: share }, 3, 5), 1);
    expect(next).toEqual(some[5]);
  });

  it('are as many of those of tuning, whose other questions are asked to their end', async () => {
    const data = await tokenized(await dataInMemory(tinyEvents, paired), tinyModel.events, featureKinds);
    const registry = userLlmRegistry();
    const tasks = ['next-item', 'favourite-genre'].map((name) => ({ task: registry.get('tasks', name), weight: 1 }));
    const source = new TaskExamples({ data, tasks, part: 'train', sampling: 'events', maximumEvents: 8, seed: 1 });
    const batching: TuneBatching = {
      data,
      text,
      form: { kind: 'context' },
      maximumEvents: 8,
      maximumTokens: 200,
      batchSize: 4,
      tokenBuckets: [200],
      vocabularySize,
      titles: { trie: titleTrie(text, paired), tasks: new Set(['next-item']) },
    };
    const all = await first(tuneBatches(source, batching, 3, 7, undefined), 12);
    const some = await first(tuneBatches(source, { ...batching, firstChoiceShare: share }, 3, 7, undefined), 12);
    expect(some.map(({ contents }) => contents)).toEqual(all.map(({ contents }) => contents));
    let fewer = 0;
    some.forEach((batch, at) => {
      if (!inShare(at, share)) return expect(batch).toEqual(all[at]);
      const ids = ({ feeds }: TrainingBatch, name: string): number[] =>
        Array.from((feeds[name] as Tensor).data, Number);
      const labels = ids(batch, 'labels').filter((label) => label !== -100);
      const films = (batch.contents as { target: string }[]).filter(({ target }) => target.startsWith('Film')).length;
      const genres = (batch.contents as { target: string }[]).filter(({ target }) => !target.startsWith('Film'));
      const spelled = genres.reduce((sum, { target }) => sum + text.encode(` ${target}`).length + 1, 0);
      expect(labels).toHaveLength(films + spelled);
      fewer += labelsOf(all[at]!) - labels.length;
    });
    expect(fewer).toBeGreaterThan(9);
    const [next] = await first(
      tuneBatches(source, { ...batching, firstChoiceShare: share }, 3, 7, { pool: 1, batch: 2 }),
      1,
    );
    expect(next).toEqual(some[5]);
  });

  it('want titles that items are chosen among', async () => {
    const align = { kind: 'align', budget: { steps: 1 }, firstChoiceShare: share } as const;
    const stages: RunConfigInput['stages'] = [
      align,
      { kind: 'tune', budget: { steps: 1 }, firstChoiceShare: share, tasks: [{ name: 'next-item' }] },
    ];
    for (const stage of stages) {
      const running = runTraining(tinyRun({ model: { ...tinyModel, titles: 'free' }, stages: [stage] }), {
        folder: `${folder}/${stage.kind}`,
        data: await tinyData(),
        runtime: await runtime(),
      });
      await expect(running).rejects.toMatchObject({
        code: 'bad-config',
        message: expect.stringContaining('firstChoiceShare') as string,
      });
    }
    expect(() => tinyRun({ model: tinyModel, stages: [{ ...align, firstChoiceShare: 1.5 }] })).toThrow();
  });
});
