import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLanguageModel } from '@user-llm/llm';
import { openSafetensors, type Tensor } from '@user-llm/tensor';
import { UserLlm } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import { runTraining, type RunConfigInput } from '../src/index.js';
import { bitsOf, testFolder, testRuntime } from './support.js';
import { tinyData, tinyEncoder, tinyEvents, tinyRun } from './tiny-run.js';

const folder = testFolder();
const models = process.env['USER_LLM_MODELS'] ?? fileURLToPath(new URL('../../../../shared/models', import.meta.url));
const stories = join(models, 'stories260K', 'stories260K.bin');
const runtime = testRuntime();

async function weightsOf(run: string): Promise<Record<string, string>> {
  const file = await openSafetensors(join(run, 'model', 'weights.safetensors'));
  const read: Record<string, Tensor> = {};
  for (const name of file.names) read[name] = await file.read(name);
  await file.close();
  return bitsOf(read);
}

const stages: RunConfigInput['stages'] = [
  { kind: 'pretrain', budget: { steps: 6 }, batchSize: 8, validation: { every: 3 }, test: true },
  {
    kind: 'language',
    budget: { steps: 4 },
    batchSize: 2,
    sequenceTokens: 24,
    prompts: { count: 30, tasks: ['next-item', 'favourite-genre'], lastEvents: 2 },
    validation: { every: 2 },
  },
  {
    kind: 'tune',
    strategy: 'enc',
    budget: { steps: 6 },
    batchSize: 4,
    pool: 3,
    maximumTokens: 80,
    tasks: [{ name: 'next-item', weight: 2 }, { name: 'favourite-genre' }, { name: 'future-favourite-genre' }],
    optimizer: { accumulate: 2 },
    validation: { every: 3, examples: 10, controls: true },
  },
  { kind: 'align', budget: { steps: 4 }, batchSize: 4, events: 2, maximumTokens: 32 },
];

describe('a run', () => {
  it('stopped at any stage and step ends with the bits of one that never was, and its model answers', async () => {
    const data = await tinyData();
    const options = { data, runtime: await runtime() };
    const whole = await runTraining(tinyRun({ stages }), { ...options, folder: join(folder, 'whole') });
    expect(whole.status).toBe('done');
    expect(whole.stages.map(({ stage, steps, ended }) => [stage, steps, ended])).toEqual([
      ['pretrain', 6, 'budget'],
      ['language', 4, 'budget'],
      ['tune', 6, 'budget'],
      ['align', 4, 'budget'],
    ]);
    expect(Object.keys(whole.stages[0]!.test!)).toEqual(['hr@1', 'ndcg@1', 'hr@5', 'ndcg@5', 'hr@10', 'ndcg@10']);

    const parts = join(folder, 'parts');
    for (const [stage, step] of [
      ['pretrain', 2],
      ['pretrain', 5],
      ['language', 3],
      ['tune', 1],
      ['tune', 5],
      ['align', 2],
    ] as const) {
      const stop = new AbortController();
      const result = await runTraining(tinyRun({ stages }), {
        ...options,
        folder: parts,
        signal: stop.signal,
        onProgress: (at) => void (at.stage === stage && at.step === step && at.phase === 'train' && stop.abort()),
      });
      expect(result.status).toBe('stopped');
    }
    const end = await runTraining(tinyRun({ stages }), { ...options, folder: parts });
    expect(end.status).toBe('done');
    expect(await weightsOf(parts)).toEqual(await weightsOf(join(folder, 'whole')));

    const model = await UserLlm.load(join(parts, 'model'), { runtime: await runtime() });
    const history = tinyEvents.filter(({ user }) => user === 'u3');
    const [scores] = await model.itemScores([history]);
    expect(scores).toHaveLength(24);
    expect(model.parts.trainedOn).toEqual({ data: data.fingerprint, split: data.split });
    await model.dispose();
  }, 120_000);

  it('writes figures of every step and validation', async () => {
    const lines = readFileSync(join(folder, 'whole', 'figures.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const figures = lines.map((line) => JSON.parse(line) as Record<string, number>);
    expect(figures.filter((line) => 'tune/loss' in line)).toHaveLength(6);
    const validations = figures.filter((line) => 'tune/validation/loss' in line);
    expect(validations.map(({ step }) => step)).toEqual([3, 6]);
    expect(Object.keys(validations[0]!)).toEqual([
      'time',
      'step',
      'tune/validation/loss/next-item',
      'tune/validation/loss/favourite-genre',
      'tune/validation/loss/future-favourite-genre',
      'tune/validation/loss',
      'tune/validation/loss-wrong-user',
      'tune/validation/loss-no-user',
    ]);
    expect(readdirSync(join(folder, 'whole', 'stages', '2-tune')).sort()).toEqual([
      'result.json',
      'result.safetensors',
    ]);
  });

  it('refuses a folder that holds a run of another config', async () => {
    const options = { data: await tinyData(), runtime: await runtime(), folder: join(folder, 'whole') };
    const other = runTraining(tinyRun({ stages, seed: 6 }), options);
    await expect(other).rejects.toMatchObject({ code: 'run-mismatch', message: expect.stringContaining('seed') });
  });

  it('of an encoder alone needs no LLM', async () => {
    const run = tinyRun({ model: tinyEncoder, stages: [{ kind: 'pretrain', budget: { steps: 2 }, batchSize: 8 }] });
    const place = join(folder, 'encoder');
    const result = await runTraining(run, { data: await tinyData(), runtime: await runtime(), folder: place });
    expect(result.status).toBe('done');
    expect(readdirSync(join(place, 'model')).sort()).toEqual([
      'catalogue.jsonl',
      'event-tokenizer.json',
      'model.json',
      'weights.safetensors',
    ]);
    const tune = tinyRun({
      model: tinyEncoder,
      stages: [{ kind: 'tune', budget: { steps: 1 }, tasks: [{ name: 'next-item' }] }],
    });
    const without = runTraining(tune, {
      data: await tinyData(),
      runtime: await runtime(),
      folder: join(folder, 'no-llm'),
    });
    await expect(without).rejects.toMatchObject({ code: 'bad-config' });
  });

  it('tunes the text-prompt baseline by the same code', async () => {
    const run = tinyRun({
      stages: [
        {
          kind: 'tune',
          form: { kind: 'text', lastEvents: 3 },
          budget: { steps: 2 },
          batchSize: 4,
          pool: 2,
          maximumTokens: 90,
          tasks: [{ name: 'favourite-genre' }],
          validation: { every: 1, examples: 6 },
        },
      ],
    });
    const counts: unknown[] = [];
    await runTraining(run, {
      data: await tinyData(),
      runtime: await runtime(),
      folder: join(folder, 'text'),
      onStage: (stage) =>
        void counts.push(...stage.counts.filter(({ trained }) => trained > 0).map(({ group }) => group)),
    });
    expect(counts).toEqual(['llm']);
  });

  it.skipIf(!existsSync(stories))(
    `tunes a checkpoint that was loaded (${stories}, from USER_LLM_MODELS)`,
    async () => {
      const run = tinyRun({
        model: tinyEncoder,
        text: { kind: 'checkpoint', path: stories },
        stages: [
          {
            kind: 'tune',
            strategy: 'enc',
            budget: { steps: 2 },
            batchSize: 2,
            pool: 1,
            maximumTokens: 120,
            tasks: [{ name: 'favourite-genre' }],
          },
        ],
      });
      const place = join(folder, 'stories');
      await runTraining(run, { data: await tinyData(), runtime: await runtime(), folder: place });
      const { weights } = await loadLanguageModel(stories);
      const after = await weightsOf(place);
      // Frozen: as the checkpoint holds them.
      for (const [name, bits] of Object.entries(bitsOf(weights))) expect(after[`llm.${name}`]).toBe(bits);
    },
    60_000,
  );

  it.each([
    ['no data', {}, 'no-data'],
    [
      'an unknown task',
      { stages: [{ kind: 'tune', budget: { steps: 1 }, tasks: [{ name: 'no-task' }] }] },
      'unknown-part',
    ],
    ['an unknown encoder', { model: { ...tinyEncoder, encoder: { name: 'none' } } }, 'unknown-part'],
    [
      'heads that do not fit',
      { model: { ...tinyEncoder, encoder: { ...tinyEncoder.encoder, config: { heads: 3 } } } },
      '',
    ],
    ['data that are not there', { data: { dataset: join(folder, 'nothing') } }, 'dataset-not-found'],
    ['a start that is not there', { start: { model: join(folder, 'nothing') } }, 'missing-model'],
    ['an LLM that is not there', { text: { kind: 'checkpoint', path: join(folder, 'nothing') } }, ''],
    ['a tokenizer that is not there', { text: { kind: 'file', path: join(folder, 'nothing') } }, 'bad-tokenizer'],
    ['an unknown tracker', { trackers: ['nowhere'] }, 'unknown-part'],
    [
      'an unknown optimizer',
      { stages: [{ kind: 'pretrain', budget: { steps: 1 }, optimizer: { name: 'none' } }] },
      'unknown-part',
    ],
    [
      'texts that are not there, in a later stage',
      {
        stages: [
          { kind: 'pretrain', budget: { steps: 1 } },
          { kind: 'language', budget: { steps: 1 }, files: [join(folder, 'nothing')] },
        ],
      },
      'bad-texts',
    ],
    ['a plugin that is not there', { plugins: ['/nowhere/plugin.mjs'] }, 'bad-plugin'],
  ] as const)('tells what is wrong, and leaves nothing behind: %s', async (name, config, code) => {
    const run = tinyRun({ stages: [{ kind: 'pretrain', budget: { steps: 1 } }], ...config } as never);
    const data = code === 'no-data' || code === 'dataset-not-found' ? {} : { data: await tinyData() };
    const place = join(folder, `wrong ${name}`);
    const running = runTraining(run, { ...data, runtime: await runtime(), folder: place });
    await expect(running).rejects.toMatchObject(code ? { code } : { name: 'UserLlmError' });
    expect(existsSync(place)).toBe(false);
  });

  it('names the trackers that there are', async () => {
    const run = tinyRun({ stages: [{ kind: 'pretrain', budget: { steps: 1 } }], trackers: ['nowhere'] });
    const running = runTraining(run, { data: await tinyData(), folder: join(folder, 'wrong tracker') });
    await expect(running).rejects.toMatchObject({ message: expect.stringContaining('one of jsonl, tensorboard') });
  });

  it.each([
    ['pretrain', { kind: 'pretrain', budget: { steps: 1 }, validation: { every: 1, metric: 'hr@7' } }, 'ndcg@10'],
    ['language', { kind: 'language', budget: { steps: 1 }, validation: { every: 1, metric: 'hr@10' } }, 'loss'],
    [
      'tune',
      {
        kind: 'tune',
        budget: { steps: 1 },
        tasks: [{ name: 'next-item' }],
        validation: { every: 1, metric: 'loss/favourite-genre' },
      },
      'loss/next-item',
    ],
  ])('refuses a metric that a stage %s has not', (_, stage, named) => {
    const define = () => tinyRun({ stages: [stage as never] });
    expect(define).toThrow(expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(named) }));
  });
});
