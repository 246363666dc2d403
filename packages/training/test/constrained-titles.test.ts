import { join } from 'node:path';
import { titleTrie, UserLlm } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { runTraining, type RunConfigInput } from '../src/index.js';
import { testFolder, testRuntime } from './support.js';
import { tinyData, tinyEvents, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();

const run = (model: RunConfigInput['model']) =>
  tinyRun({
    model,
    stages: [
      { kind: 'pretrain', budget: { steps: 150 }, batchSize: 16, optimizer: { learningRate: 0.01 } },
      { kind: 'align', budget: { steps: 150 }, batchSize: 8, maximumTokens: 32, optimizer: { learningRate: 0.01 } },
      {
        kind: 'tune',
        budget: { steps: 150 },
        batchSize: 8,
        maximumTokens: 40,
        tasks: [{ name: 'next-item' }, { name: 'favourite-genre' }],
        optimizer: { learningRate: 0.01, schedule: { warmUpSteps: 10 } },
      },
    ],
  });

describe('a model whose titles are constrained', () => {
  it('is trained to choose among them, whether it was stopped or not, and ranks them so once it is loaded', async () => {
    const model = {
      ...tinyModel,
      compressor: { name: 'perceiver', config: { latents: 3, layers: 1, heads: 2, recency: 2, readLatents: false } },
      fusion: { name: 'cross-attention', config: { heads: 2, initialGate: 0.5 } },
      titles: 'constrained',
    } as const;
    const own = join(folder, 'run');
    const options = { folder: own, data: await tinyData(), runtime: await runtime() };
    const stop = new AbortController();
    const onProgress = ({ stage, step }: { readonly stage: string; readonly step: number }) => {
      if (stage === 'tune' && step > 60) stop.abort();
    };
    expect(await runTraining(run(model), { ...options, onProgress, signal: stop.signal })).toMatchObject({
      status: 'stopped',
    });
    await runTraining(run(model), options);

    const userLlm = await UserLlm.load(join(own, 'model'), { runtime: await runtime() });
    expect(userLlm.model.config.titles).toBe('constrained');
    const users = Array.from({ length: 40 }, (_, user) => tinyEvents.filter((event) => event.user === `u${user}`));
    const questions = users.map((events) => ({ user: events.slice(0, -1), prompt: userLlm.parts.recommendPrompt }));
    const ranked = await userLlm.rankTitles(questions, { count: tinyItems.length, beamWidth: 100 });
    for (const items of ranked) {
      expect(items).toHaveLength(tinyItems.length);
      expect(items.reduce((sum, { score }) => sum + Math.exp(score), 0)).toBeCloseTo(1, 4);
    }
    const places = ranked.map((items, user) => items.findIndex(({ item }) => item === users[user]!.at(-1)!.item));
    // By chance a fifth of them; a fifth of the events are drawn by chance.
    expect(places.filter((place) => place < 5).length / users.length).toBeGreaterThan(0.4);
    // No other title begins as one does up to its last choice.
    const trie = titleTrie(userLlm.parts.textTokenizer, tinyItems);
    expect(trie.choosingDepth).toBeLessThan(trie.depth);
    await userLlm.dispose();
  }, 180_000);
});
