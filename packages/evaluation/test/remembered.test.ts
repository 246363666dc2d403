import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nextItemTask } from '@user-llm/tasks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaveLastOut, planQuestions, rememberedCandidate, type Candidate, type Ranking } from '../src/index.js';
import { letters } from './support.js';

const data = letters({ u: 'abc', v: 'bcd', w: 'cda' });
const { questions } = planQuestions(data, { split: leaveLastOut, tasks: [nextItemTask()] });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm remembered '));
});

afterEach(() => rm(folder, { recursive: true }));

/** A candidate that answers with the user's last item, and notes whom it was asked about. */
function last(asked: string[]): Candidate & Required<Pick<Candidate, 'rank' | 'answer'>> {
  const of = (history: readonly { readonly item: string }[]) => history.at(-1)!.item;
  return {
    name: 'last',
    description: 'the last item once more',
    kind: 'model',
    rank: (batch) => {
      asked.push(...batch.map(({ example }) => example.user));
      return Promise.resolve(batch.map(({ example }): Ranking => ({ kind: 'list', items: [of(example.history)] })));
    },
    answer: (batch) => {
      asked.push(...batch.map(({ example }) => example.user));
      return Promise.resolve(batch.map(({ example }) => of(example.history)));
    },
  };
}

const opened = (asked: string[], fingerprint = 'model 1') =>
  rememberedCandidate(last(asked), { path: join(folder, 'last.jsonl'), fingerprint });

it('asks only what its file does not have, and answers in the order of the questions', async () => {
  const asked: string[] = [];
  const first = await opened(asked);
  const before = await first.rank!(questions.slice(1, 2), {});
  const again = await opened(asked);
  const after = await again.rank!(questions, {});
  expect(asked).toEqual(['v', 'u', 'w']);
  expect(after[1]).toEqual(before[0]);
  expect(after).toEqual(await last([]).rank(questions, {}));
  expect(await again.rank!(questions, {})).toEqual(after);
  expect(asked).toHaveLength(3);
});

it('keeps words, too', async () => {
  const asked: string[] = [];
  const words = await (await opened(asked)).answer!(questions, {});
  expect(await (await opened(asked)).answer!(questions, {})).toEqual(words);
  expect(asked).toHaveLength(3);
});

it('forgets the answers of another model', async () => {
  const asked: string[] = [];
  await (
    await opened(asked)
  ).rank!(questions, {});
  await (
    await opened(asked, 'model 2')
  ).rank!(questions, {});
  expect(asked).toHaveLength(6);
});

it('goes on behind a line that a kill has cut', async () => {
  const asked: string[] = [];
  const path = join(folder, 'last.jsonl');
  await (
    await opened(asked)
  ).rank!(questions.slice(0, 2), {});
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, -6));
  await (
    await opened(asked)
  ).rank!(questions, {});
  expect(asked).toEqual(['u', 'v', 'v', 'w']);
  await appendFile(path, '{"key":');
  await (
    await opened(asked)
  ).rank!(questions, {});
  expect(asked).toHaveLength(4);
});

it('asks for scores anew', async () => {
  let calls = 0;
  const scoring: Candidate = {
    ...last([]),
    rank: (batch) => {
      calls++;
      return Promise.resolve(batch.map((): Ranking => ({ kind: 'scores', scores: [1, 2, 3, 4] })));
    },
  };
  const remembered = await rememberedCandidate(scoring, { path: join(folder, 'scores.jsonl'), fingerprint: '' });
  await remembered.rank!(questions, {});
  expect(await remembered.rank!(questions, {})).toHaveLength(3);
  expect(calls).toBe(2);
});
