import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, bleu, builtInMetrics, builtInTasks, ndcgAt, rankOf, recallAt, rouge } from '../../src/index.js';

const code = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing';
};

describe('rank of the true item', () => {
  it('is the worst place among equals', () => {
    expect(rankOf([1, 1, 1, 1], 2)).toBe(4);
    expect(rankOf([0, 3, 2, 3], 1)).toBe(2);
    expect(rankOf([-Infinity, -Infinity], 0)).toBe(2);
  });

  it('passes over excluded candidates, but never over the target', () => {
    expect(rankOf([9, 8, 7, 6], 3, { excluded: [0, 1, 3, 1, 99] })).toBe(2);
  });

  it('equals the place in a sorted list', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 50 }), fc.nat(), (scores, seed) => {
        const target = seed % scores.length;
        expect(rankOf(scores, target)).toBe([...scores].sort((a, b) => b - a).indexOf(scores[target]!) + 1);
      }),
    );
  });

  it('refuses targets that are no candidates, and scores that are no numbers', () => {
    expect(code(() => rankOf([1, 2], 2))).toBe('bad-target');
    expect(code(() => rankOf([1, NaN], 0))).toBe('score-not-a-number');
    expect(code(() => rankOf([NaN, 1], 0))).toBe('score-not-a-number');
  });
});

describe('metrics', () => {
  it('score no answers as not a number', () => {
    for (const metric of builtInMetrics()) expect(metric.score([]).value, metric.name).toBeNaN();
  });

  it('give each answer its score, so that the mean is the value', () => {
    const { value, each } = recallAt(5).score([{ ranks: [1] }, { ranks: [6] }, { ranks: [5] }, { ranks: [2, 9] }]);
    expect(each).toEqual([1, 0, 1, 0.5]);
    expect(value).toBe(0.625);
    expect(bleu().score([{ prediction: 'a', reference: 'a' }]).each).toBeUndefined();
    expect(rouge('rouge1').score([{ prediction: 'a b', reference: 'a c' }]).each).toEqual([0.5]);
  });

  it('refuse a cutoff that is not a whole number from 1 up', () => {
    for (const k of [0, -1, 1.5, NaN]) expect(code(() => ndcgAt(k))).toBe('bad-cutoff');
  });

  it('forgive what a language model adds to a label, unless told not to', () => {
    const answers = [
      { prediction: ' "Sci-Fi." ', reference: 'Sci-Fi' },
      { prediction: 'SCI-FI', reference: 'Sci-Fi' },
      { prediction: 'Sci Fi', reference: 'Sci-Fi' },
      { prediction: '?', reference: '!' },
    ];
    expect(accuracy().score(answers).each).toEqual([1, 1, 0, 0]);
    expect(accuracy({ exact: true }).score(answers).each).toEqual([0, 0, 0, 0]);
  });

  it('include every metric that a task names, for the answers that the task has', () => {
    const metrics = new Map(builtInMetrics().map((metric) => [metric.name, metric]));
    for (const task of builtInTasks()) {
      for (const name of task.metrics) expect(metrics.get(name)?.answers, `${task.name}: ${name}`).toBe(task.answers);
    }
  });
});
