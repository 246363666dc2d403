import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { trainingCurves } from '../src/report/training-curves.js';

it('reads losses and validations of each stage; later lines replace earlier ones, cut lines are passed over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-curves-'));
  const file = join(folder, 'figures.jsonl');
  const lines = [
    { time: 'x', step: 1, 'pretrain/loss': 3, 'pretrain/learningRate': 0.1 },
    { time: 'x', step: 2, 'pretrain/loss': 9 },
    { time: 'x', step: 2, 'pretrain/loss': 2 },
    { time: 'x', step: 2, 'pretrain/validation/recall@10': 0.25 },
    ...Array.from({ length: 900 }, (_, step) => ({ step, 'tune/loss': step })),
  ];
  await writeFile(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"step": 3, "pretr`);
  const [loss, validation, tune, ...others] = await trainingCurves(file);
  await rm(folder, { recursive: true });
  expect(others).toEqual([]);
  const two = [1, 2].map((step) => ({ step, value: 4 - step }));
  expect(loss).toEqual({ stage: 'pretrain', figure: 'loss', series: 'training', points: two });
  expect(validation).toMatchObject({ figure: 'recall@10', series: 'validation', points: [{ step: 2, value: 0.25 }] });
  expect(tune!.points).toHaveLength(300);
  expect(tune!.points[0]).toEqual({ step: 2, value: 1 });
});

it('finds none where there is no file', async () => {
  expect(await trainingCurves(join(tmpdir(), 'nowhere', 'figures.jsonl'))).toEqual([]);
});
