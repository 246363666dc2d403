import { expect, it } from 'vitest';
import { fusionsOf } from '../src/recipes/recipe.js';
import { realLlm } from '../src/recipes/real-llm.js';

it('has a run for each of its parts, in which all ways are trained equally long', () => {
  const { minutes, ways, baseRun, alignRun, tuneRun } = realLlm;
  const setting = { dataset: 'data', seed: 1, minutes, llm: 'llm' };
  const minutesOf = ({ config }: ReturnType<typeof baseRun>): number =>
    config.stages.reduce((sum, { budget }) => sum + (budget.minutes ?? 0), 0);
  expect(minutesOf(baseRun(setting))).toBe(minutes.pretrain);
  const aligned = new Map(fusionsOf(realLlm).map((fusion) => [fusion, minutesOf(alignRun(fusion, setting, 'base'))]));
  expect([...aligned.keys()]).toEqual(['cross-attention', 'soft-prompt']);
  for (const way of ways) {
    const before = way.kind === 'fusion' ? aligned.get(way.fusion)! : 0;
    expect(before + minutesOf(tuneRun(way, setting, 'start'))).toBeCloseTo(minutes.align + minutes.tune, 10);
  }
  const names = ways.map((way) => tuneRun(way, setting, 'start').config.name);
  expect(names).toEqual(ways.map(({ name }) => name));
});
