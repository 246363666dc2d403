import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';
import { describe, expect, it } from 'vitest';
import {
  evaluationData,
  globalTime,
  heldOutUsers,
  leaveLastOut,
  planQuestions,
  positionsAsked,
  trainingHistories,
} from '../src/index.js';
import { history, letters } from './support.js';

const words = (histories: ReturnType<typeof trainingHistories>) =>
  Object.fromEntries(histories.map(({ user, events }) => [user, events.map(({ item }) => item).join('')]));

describe('data', () => {
  it('orders by time, stably, and ranks items without events too', () => {
    const data = evaluationData({
      name: 'x',
      items: [{ item: 'z', title: 'Never chosen' }],
      events: [
        { user: 'u', item: 'b', time: 2 },
        { user: 'v', item: 'b', time: 0 },
        { user: 'u', item: 'a', time: 1 },
        { user: 'u', item: 'c', time: 2 },
      ],
    });
    expect(words([...data.histories])).toEqual({ u: 'abc', v: 'b' });
    expect(data.items).toEqual(['z', 'b', 'a', 'c']);
    expect(data.events).toBe(4);
    expect(data.hash).toMatch(/^[0-9a-f]{64}$/u);
  });

  it('hashes what it holds', () => {
    expect(letters({ u: 'ab' }).hash).toBe(letters({ u: 'ab' }).hash);
    expect(letters({ u: 'ab' }).hash).not.toBe(letters({ u: 'ba' }).hash);
  });

  it('refuses no events', () => {
    expect(() => evaluationData({ name: 'x', events: [] })).toThrow(expect.objectContaining({ code: 'no-events' }));
  });
});

describe('leave-last-out', () => {
  const data = letters({ u: 'abcd', v: 'ab', w: 'a' });

  it('asks about the last event, with the validation event in the history', () => {
    const { questions } = planQuestions(data, { split: leaveLastOut, tasks: [nextItemTask()] });
    const told = questions.map(({ example, seen, position }) => [
      example.user,
      example.history.map(({ item }) => item).join(''),
      example.item,
      [...seen].join(''),
      position,
    ]);
    expect(told).toEqual([
      ['u', 'abc', 'd', 'abc', 3],
      ['v', 'a', 'b', 'a', 1],
    ]);
  });

  it('trains on what comes before, with the validation event on request', () => {
    expect(words(trainingHistories(data, leaveLastOut))).toEqual({ u: 'ab' });
    expect(words(trainingHistories(data, leaveLastOut, 'validation'))).toEqual({ u: 'abc', v: 'a' });
  });

  it('asks about the validation event for validation', () => {
    expect(positionsAsked(data.histories, leaveLastOut, 'validation')).toEqual([2, undefined, undefined]);
  });

  it('removes seen items also beyond the history that is read', () => {
    const [question] = planQuestions(data, {
      split: leaveLastOut,
      tasks: [nextItemTask()],
      historyLength: 1,
    }).questions;
    expect(question!.example.history.map(({ item }) => item)).toEqual(['c']);
    expect([...question!.seen].join('')).toBe('abc');
  });
});

describe('global time', () => {
  const data = letters({ u: 'abcdefghij', v: 'klm' });

  it('asks about the first event after one moment of all users', () => {
    const split = globalTime(data, { validation: 0.1, test: 0.2 });
    expect(split).toEqual({ kind: 'time', validationFrom: 6000, testFrom: 7000 });
    expect(positionsAsked(data.histories, split)).toEqual([7, undefined]);
    expect(words(trainingHistories(data, split))).toEqual({ u: 'abcdef', v: 'klm' });
  });
});

describe('held-out users', () => {
  const data = letters(Object.fromEntries(Array.from({ length: 50 }, (_, user) => [`user ${user}`, 'abc'])));

  it('never trains on those it asks', () => {
    const split = heldOutUsers({ validation: 0.2, test: 0.3 });
    const asked = planQuestions(data, { split, tasks: [nextItemTask()] }).questions.map(({ example }) => example.user);
    const trained = trainingHistories(data, split).map(({ user }) => user);
    const validated = planQuestions(data, { split, tasks: [nextItemTask()], part: 'validation' }).questions;
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((user) => trained.includes(user))).toEqual([]);
    expect(asked.length + trained.length + validated.length).toBe(50);
    expect(planQuestions(data, { split, tasks: [nextItemTask()] }).questions[0]!.position).toBe(2);
  });
});

describe('questions', () => {
  const data = letters(Object.fromEntries(Array.from({ length: 40 }, (_, user) => [`user ${user}`, 'abc'])), [
    { item: 'a', categories: ['Drama'] },
    { item: 'b', categories: ['Comedy'] },
    { item: 'c', categories: ['Horror'] },
  ]);
  const tasks = [nextItemTask(), favouriteCategoryTask({ noun: 'genre' }), favouriteCategoryTask({ over: 'future' })];

  it('asks every task of a sample of users, the same for the same seed', () => {
    const plan = (seed: number) => planQuestions(data, { split: leaveLastOut, tasks, users: 7, seed });
    expect(plan(3)).toEqual(plan(3));
    const users = (seed: number) => new Set(plan(seed).questions.map(({ example }) => example.user));
    expect(users(3).size).toBe(7);
    expect(users(3)).not.toEqual(users(4));
    expect(plan(3).counts).toEqual({
      users: 40,
      eligible: 40,
      asked: 7,
      questions: { 'next-item': 7, 'favourite-genre': 7, 'future-favourite-category': 7 },
    });
  });

  it('asks for the favourite of history and future', () => {
    const { questions } = planQuestions(data, { split: leaveLastOut, tasks, users: 1 });
    expect(questions.map(({ example }) => example.target)).toEqual(['c', 'Comedy', 'Horror']);
  });

  it('leaves out what cannot be asked, and refuses a test of nothing', () => {
    const bare = letters({ u: 'abc' });
    expect(planQuestions(bare, { split: leaveLastOut, tasks }).counts.questions['favourite-genre']).toBe(0);
    const code = (run: () => unknown) => expect(run).toThrow(expect.objectContaining({ code: 'no-questions' }));
    code(() => planQuestions(bare, { split: leaveLastOut, tasks: [favouriteCategoryTask()] }));
    code(() => planQuestions(letters({ u: 'a' }), { split: leaveLastOut, tasks }));
  });

  it.each([
    ['users', { users: 0 }],
    ['historyLength', { historyLength: 1.5 }],
    ['no tasks', { tasks: [] }],
    ['a task twice', { tasks: [nextItemTask(), nextItemTask()] }],
  ])('refuses bad options: %s', (_, bad) => {
    expect(() => planQuestions(data, { split: leaveLastOut, tasks, ...bad })).toThrow(
      expect.objectContaining({ code: 'bad-options' }),
    );
  });
});

it('keeps the order of events at one time', () => {
  const events = history('u', 'abcdefghijklmnopqrstuvw').map((event) => ({ ...event, time: 5 }));
  expect(words([...evaluationData({ name: 'x', events }).histories])['u']).toBe('abcdefghijklmnopqrstuvw');
});
