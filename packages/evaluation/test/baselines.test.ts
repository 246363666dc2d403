import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';
import { describe, expect, it } from 'vitest';
import {
  commonCategoryCandidate,
  evaluateCandidates,
  frequentCategoryCandidate,
  leaveLastOut,
  markovCandidate,
  planQuestions,
  popularityCandidate,
  trainingHistories,
  type Candidate,
  type EvaluationData,
} from '../src/index.js';
import { letters, movieLens } from './support.js';

/** The scores that a candidate gives the letters for the first question. */
async function scoresOf(data: EvaluationData, candidate: Candidate): Promise<Record<string, number>> {
  const { questions } = planQuestions(data, { split: leaveLastOut, tasks: [nextItemTask()] });
  const [ranking] = await candidate.rank!(questions.slice(0, 1), {});
  const scores = ranking!.kind === 'scores' ? ranking!.scores : [];
  return Object.fromEntries(data.items.map((item, place) => [item, scores[place]!]));
}

describe('popularity', () => {
  it('counts training events', async () => {
    const data = letters({ u: 'abxy', v: 'aaxy', w: 'bzxy' });
    const popularity = popularityCandidate(data, trainingHistories(data, leaveLastOut));
    expect(await scoresOf(data, popularity)).toEqual({ a: 3, b: 2, x: 0, y: 0, z: 1 });
  });
});

describe('markov', () => {
  it('is directed co-occurrence by distance, damped by popularity, voted by the last items', async () => {
    // Training: abc, adab. Asked of u: after a, b, c, x.
    const data = letters({ u: 'abcxy', v: 'adabxy' });
    const markov = markovCandidate(data, trainingHistories(data, leaveLastOut), { window: 2, votes: 3, smoothing: 1 });
    // Votes: x (1), c (1/2), b (1/3): x and c lead nowhere; b leads to c at distance 1.
    const scores = await scoresOf(data, markov);
    expect(scores['c']).toBeCloseTo(1 / 3 / Math.sqrt(1 + 1), 12);
    expect(scores['b']).toBe(0);
    const four = markovCandidate(data, trainingHistories(data, leaveLastOut), { window: 2, votes: 4, smoothing: 1 });
    // a votes with 1/4: b at distance 1 (twice), c at 2, d at 1, a at 2.
    const voted = await scoresOf(data, four);
    expect(voted['a']).toBeCloseTo(((1 / 4) * (1 / 2)) / Math.sqrt(3 + 1), 12);
    expect(voted['b']).toBeCloseTo(((1 / 4) * 2) / Math.sqrt(2 + 1), 12);
    expect(voted['c']).toBeCloseTo((1 / 3 + (1 / 4) * (1 / 2)) / Math.sqrt(1 + 1), 12);
    expect(voted['d']).toBeCloseTo(1 / 4 / Math.sqrt(1 + 1), 12);
    expect(voted['y']).toBe(0);
  });

  it('does not lead from one user to the next', async () => {
    const data = letters({ u: 'abaxx', v: 'cdyy', w: 'xb' });
    const markov = markovCandidate(data, trainingHistories(data, leaveLastOut));
    expect((await scoresOf(data, markov))['c']).toBe(0);
  });

  it.each([{ window: 0 }, { votes: 1.5 }])('refuses %j', (options) => {
    const data = letters({ u: 'abc' });
    expect(() => markovCandidate(data, data.histories, options)).toThrow(
      expect.objectContaining({ code: 'bad-options' }),
    );
  });
});

describe('categories', () => {
  it('answers with the most common one, and with the own most frequent one', async () => {
    const data = letters({ u: 'aabx', v: 'bbbax', w: 'aaaax' }, [
      { item: 'a', categories: ['Drama'] },
      { item: 'b', categories: ['Comedy'] },
      { item: 'x', categories: ['Comedy'] },
    ]);
    const tasks = [favouriteCategoryTask({ noun: 'genre' }), favouriteCategoryTask({ noun: 'genre', over: 'future' })];
    const questions = planQuestions(data, { split: leaveLastOut, tasks });
    const { results } = await evaluateCandidates(data, questions, [
      commonCategoryCandidate(data, trainingHistories(data, leaveLastOut), tasks),
      frequentCategoryCandidate(data, tasks),
      frequentCategoryCandidate(data, tasks, 1),
    ]);
    expect(results.map(({ candidate, task, metrics }) => [candidate, task, metrics[0]!.value])).toEqual([
      ['most common category', 'favourite-genre', 2 / 3],
      ['own most frequent category', 'favourite-genre', 1],
      ['own most frequent category of last 1', 'favourite-genre', 1 / 3],
      ['most common category', 'future-favourite-genre', 0],
      ['own most frequent category', 'future-favourite-genre', 1 / 3],
      ['own most frequent category of last 1', 'future-favourite-genre', 1 / 3],
    ]);
  });
});

describe.each([
  ['ml-1m', { users: 6040, items: 3416, events: 999_611 }, { popularity: [0.037, 0.018], markov: [0.25, 0.145] }],
  [
    'ml-latest-small',
    { users: 610, items: 3650, events: 90_274 },
    { popularity: [0.039, 0.019], markov: [0.125, 0.073] },
  ],
] as const)('%s', (name, counts, expected) => {
  const data = movieLens(name);
  it.skipIf(data === undefined)(
    `has the floors that are published (skipped when USER_LLM_DATA lacks ${name})`,
    async () => {
      expect({ users: data!.histories.length, items: data!.items.length, events: data!.events }).toEqual(counts);
      const questions = planQuestions(data!, { split: leaveLastOut, tasks: [nextItemTask()] });
      const training = trainingHistories(data!, leaveLastOut);
      const candidates = [popularityCandidate(data!, training), markovCandidate(data!, training)];
      const bootstrap = { resamples: 10 };
      const check = async (judged: readonly Candidate[], figures: Readonly<Record<string, readonly number[]>>) => {
        const { results } = await evaluateCandidates(data!, questions, judged, { bootstrap });
        for (const { candidate, metrics } of results) {
          const value = (metric: string) => metrics.find((each) => each.metric === metric)!.value;
          expect(Math.abs(value('recall@10') - figures[candidate]![0]!)).toBeLessThan(0.001);
          expect(Math.abs(value('ndcg@10') - figures[candidate]![1]!)).toBeLessThan(0.001);
        }
      };
      await check(candidates, expected);
      // The published popularity of ml-latest-small counts the validation items too.
      if (name === 'ml-1m') return;
      const known = popularityCandidate(data!, trainingHistories(data!, leaveLastOut, 'validation'));
      await check([known], { popularity: [0.043, 0.02] });
    },
    120_000,
  );
});
