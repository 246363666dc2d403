import { Random } from '@user-llm/tensor';
import { favouriteCategoryTask, nextItemTask, recallAt, reciprocalRankAt } from '@user-llm/tasks';
import { describe, expect, it } from 'vitest';
import {
  evaluateCandidates,
  intervalOf,
  leaveLastOut,
  pairedDifference,
  planQuestions,
  predictionLines,
  rankAnswer,
  resample,
  type Candidate,
  type Ranking,
} from '../src/index.js';
import { letters } from './support.js';

const data = letters({ u: 'abc', v: 'bcd', w: 'ade' });
const task = { ...nextItemTask(), metrics: ['recall@1', 'mrr@5'] };
const questions = planQuestions(data, { split: leaveLastOut, tasks: [task] });
const metrics = [recallAt(1), recallAt(10), reciprocalRankAt(5)];

/** A candidate that ranks every question alike. */
const always = (name: string, ranking: Ranking): Candidate => ({
  name,
  description: name,
  kind: 'baseline',
  rank: (asked) => Promise.resolve(asked.map(() => ranking)),
});
const list = (items: string): Ranking => ({ kind: 'list', items: [...items] });
const scores = (...numbers: number[]): Ranking => ({ kind: 'scores', scores: numbers });

describe('ranks', () => {
  const [first] = questions.questions;
  const rank = (ranking: Ranking) => rankAnswer(data, first!, ranking, 'x');

  it('count items not seen, ties against the candidate, what is not listed as a miss', () => {
    // Asked: after a, b comes c. Items: a b c d e.
    expect(rank(scores(9, 9, 3, 2, 1))).toBe(1);
    expect(rank(scores(9, 9, 3, 3, 1))).toBe(2);
    expect(rank(scores(0, 0, 0, 0, 0))).toBe(3);
    expect(rank(list('abc'))).toBe(1);
    expect(rank(list('aedc'))).toBe(3);
    expect(rank(list('ed'))).toBe(Infinity);
    expect(rank(list(''))).toBe(Infinity);
  });

  it.each([
    ['scores of other items', scores(1, 2), 'bad-ranking'],
    ['an unknown item', list('xc'), 'bad-ranking'],
    ['an item twice', list('ddc'), 'bad-ranking'],
    ['no number', scores(0, 0, 0, NaN, 0), 'score-not-a-number'],
  ])('refuse %s', (_, ranking, code) => {
    expect(() => rank(ranking)).toThrow(expect.objectContaining({ code }));
  });
});

describe('evaluateCandidates', () => {
  it('gives metrics, paired differences and every prediction', async () => {
    const right = always('right', list('cde'));
    const wrong = always('wrong', list('b'));
    const found = await evaluateCandidates(data, questions, [wrong, right], { metrics });
    const values = found.results.map(({ candidate, metrics: own }) => [candidate, ...own.map(({ value }) => value)]);
    // c is first, d second but c was seen, e third but d was seen: ranks 1, 1, 2.
    expect(values).toEqual([
      ['wrong', 0, 0],
      ['right', 2 / 3, (1 + 1 + 1 / 2) / 3],
    ]);
    expect(found.differences).toHaveLength(2);
    expect(found.differences[0]).toMatchObject({ candidate: 'right', other: 'wrong', value: 2 / 3 });
    expect(found.differences[1]).toMatchObject({ metric: 'mrr@5', notAbove: 0 });
    const lines = predictionLines(found.predictions.get('wrong')!).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0]!)).toEqual({
      user: 'u',
      task: 'next-item',
      template: 'next-item@1#0',
      position: 2,
      target: 'c',
      rank: null,
      scores: { 'recall@1': 0, 'mrr@5': 0 },
    });
  });

  it('is the same for the same seed, whatever the batches', async () => {
    const run = async (batchSize: number, seed: number) => {
      const candidate = { ...always('x', list('cde')), batchSize };
      const found = await evaluateCandidates(data, questions, [candidate], { metrics, bootstrap: { seed } });
      return found.results.map(({ metrics: own }) => own);
    };
    expect(await run(1, 5)).toEqual(await run(64, 5));
  });

  it('asks no candidate what it does not answer, and tells how far it is', async () => {
    const both = planQuestions(letters({ u: 'ab', v: 'ab' }, [{ item: 'a', categories: ['Drama'] }]), {
      split: leaveLastOut,
      tasks: [task, favouriteCategoryTask()],
    });
    const talker: Candidate = {
      name: 'talker',
      description: 'says Drama',
      kind: 'model',
      answer: (asked) => Promise.resolve(asked.map(() => ' drama. ')),
    };
    const seen: string[] = [];
    const { results } = await evaluateCandidates(data, both, [always('ranker', list('b')), talker], {
      onProgress: ({ candidate, answered, questions: all }) => seen.push(`${candidate} ${answered}/${all}`),
    });
    expect(results.map(({ candidate, task: asked }) => `${candidate}: ${asked}`)).toEqual([
      'ranker: next-item',
      'talker: favourite-category',
    ]);
    expect(results[1]!.metrics[0]).toMatchObject({ value: 1, low: 1, high: 1 });
    expect(seen).toEqual(['ranker 2/2', 'talker 2/2']);
  });

  it.each([
    ['no candidates', [], {}, 'bad-candidate'],
    ['two of one name', [always('x', list('')), always('x', list(''))], {}, 'bad-candidate'],
    ['one that answers nothing', [{ name: 'x', description: '', kind: 'model' }], {}, 'bad-candidate'],
    ['an unknown metric', [always('x', list(''))], { metrics: [recallAt(1)] }, 'unknown-metric'],
    ['too few answers', [{ ...always('x', list('')), rank: () => Promise.resolve([]) }], { metrics }, 'bad-candidate'],
  ] as const)('refuses %s', async (_, candidates, options, code) => {
    await expect(evaluateCandidates(data, questions, candidates, options)).rejects.toMatchObject({ code });
  });

  it('refuses a cutoff beyond the catalogue', async () => {
    const wide = planQuestions(data, { split: leaveLastOut, tasks: [{ ...task, metrics: ['recall@10'] }] });
    await expect(evaluateCandidates(data, wide, [always('x', list('c'))], { metrics })).rejects.toMatchObject({
      code: 'bad-cutoff',
    });
  });

  it('stops when told', async () => {
    const signal = AbortSignal.abort();
    await expect(
      evaluateCandidates(data, questions, [always('x', list('c'))], { metrics, signal }),
    ).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('bootstrap', () => {
  it('covers the true mean about as often as it says', () => {
    const experiments = 300;
    let covered = 0;
    for (let experiment = 0; experiment < experiments; experiment++) {
      const drawn = Random.fromSeed(1).at(experiment).uniform(new Float64Array(80));
      const answers = [...drawn].map((number) => (number < 0.3 ? 1 : 0));
      const users = answers.map((_, user) => `${user}`);
      const [resampled] = resample(users, [answers], { resamples: 300, seed: experiment });
      const { low, high } = intervalOf(resampled!);
      if (low <= 0.3 && 0.3 <= high) covered++;
    }
    // .95 nominal; 3 standard errors of 300 experiments are .038, and the percentile interval is a little narrow.
    expect(covered / experiments).toBeGreaterThan(0.9);
    expect(covered / experiments).toBeLessThan(0.985);
  });

  it('has the standard error of the mean', () => {
    const answers = [...Random.fromSeed(2).normal(new Float64Array(400))];
    const [resampled] = resample(
      answers.map((_, user) => `${user}`),
      [answers],
      { resamples: 2000 },
    );
    const { low, high, value } = intervalOf(resampled!);
    expect(value).toBeCloseTo(answers.reduce((sum, each) => sum + each, 0) / 400, 12);
    expect((high - low) / (2 * 1.96)).toBeCloseTo(1 / Math.sqrt(400), 2);
  });

  it('draws users, not answers: copies of an answer add nothing', () => {
    const users = Array.from({ length: 50 }, (_, user) => `${user}`);
    const answers = users.map((_, user) => user % 2);
    const [once] = resample(users, [answers]);
    const [twice] = resample([...users, ...users], [[...answers, ...answers]]);
    expect(intervalOf(twice!)).toEqual(intervalOf(once!));
  });

  it('pairs: a constant advantage has no spread', () => {
    const users = Array.from({ length: 30 }, (_, user) => `${user}`);
    const answers = users.map((_, user) => user % 3);
    const [one, other] = resample(users, [answers.map((each) => each + 0.5), answers]);
    const { value, low, high, notAbove } = pairedDifference(one!, other!);
    for (const number of [value, low, high]) expect(number).toBeCloseTo(0.5, 12);
    expect(notAbove).toBe(0);
  });

  it.each([
    ['no answers', [], [], {}, 'no-answers'],
    ['no resamples', ['u'], [[1]], { resamples: 0 }, 'bad-options'],
    ['a confidence of 1', ['u'], [[1]], { confidence: 1 }, 'bad-options'],
    ['numbers of other answers', ['u'], [[1, 2]], {}, 'bad-options'],
  ] as const)('refuses %s', (_, users, series, options, code) => {
    expect(() => resample(users, series, options)).toThrow(expect.objectContaining({ code }));
  });
});
