import { nextItemTask, favouriteCategoryTask } from '@user-llm/tasks';
import { featureKinds, type SplitOptions } from '@user-llm/tokenization';
import { describe, expect, it, vi } from 'vitest';
import { dataInMemory } from '../src/index.js';
import { Places } from '../src/data/places.js';
import { TaskExamples } from '../src/data/task-examples.js';
import { catalogueTexts } from '../src/data/texts.js';
import { tokenized, trainingEvents } from '../src/data/training-data.js';
import { tinyEvents, tinyItems, tinyModel } from './tiny-run.js';

const schema = tinyModel.events;
const leaveOut = { kind: 'leave-last-out', validation: 1, seed: 0 } as const;
const dataOf = async (split: SplitOptions = leaveOut) =>
  tokenized(await dataInMemory(tinyEvents, tinyItems, split as never), schema, featureKinds);

describe('histories', () => {
  it('are by user and time, ties as they came, and keep all fields', async () => {
    const events = [
      { user: 'b', item: 'x', time: 5, rating: 1 },
      { user: 'a', item: 'y', time: 9 },
      { user: 'b', item: 'z', time: 3, mood: 'fine' },
      { user: 'b', item: 'w', time: 5, rating: 2 },
    ];
    const { histories, fingerprint } = await dataInMemory(events, [], leaveOut);
    expect(histories.users).toEqual(['b', 'a']);
    expect(histories.history(0).events.map(({ item }) => item)).toEqual(['z', 'x', 'w']);
    expect(histories.history(0).events[0]).toEqual({ user: 'b', item: 'z', time: 3, rating: null, mood: 'fine' });
    expect([histories.lengthOf(0), histories.lengthOf(1), histories.events]).toEqual([3, 1, 4]);
    expect([histories.before(0, 5), histories.before(0, 6)]).toEqual([1, 3]);
    const other = await dataInMemory(events.slice(1), [], leaveOut);
    expect(other.fingerprint).not.toBe(fingerprint);
  });

  it('are numbered as the timelines are', async () => {
    const data = await dataOf();
    expect(data.timelines.columns.users).toEqual(data.histories.users);
    data.histories.users.forEach((_, user) => {
      expect(data.timelines.lengthOf(user)).toBe(data.histories.lengthOf(user));
    });
  });

  it('of no events are refused', async () => {
    const data = await dataInMemory([], [], leaveOut);
    await expect(tokenized(data, schema, featureKinds)).rejects.toMatchObject({ code: 'no-events' });
  });
});

describe('what vocabularies are learned from', () => {
  const counted = async (split: SplitOptions) => {
    const data = await dataInMemory(tinyEvents, tinyItems, split as never);
    const counts = new Map<string, number>();
    for await (const { users } of trainingEvents(data).columns([])) {
      for (const user of Array.from(users)) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    return { counts, data };
  };

  it('is all but the last two events of a user when the last is left out', async () => {
    const { counts, data } = await counted(leaveOut);
    data.histories.users.forEach((name, user) => expect(counts.get(name)).toBe(data.histories.lengthOf(user) - 2));
  });

  it('is all but the last event of the users that do not validate', async () => {
    const split = { kind: 'leave-last-out', validation: 0.3, seed: 2 } as const;
    const { counts, data } = await counted(split);
    const heldOut = data.histories.users.map((name, user) => data.histories.lengthOf(user) - counts.get(name)!);
    expect(new Set(heldOut)).toEqual(new Set([1, 2]));
    const validated = new Places(await dataOf(split), 'validation').firstOfUsers();
    expect(validated.map(({ user }) => user)).toEqual(heldOut.flatMap((events, user) => (events === 2 ? [user] : [])));
  });

  it('is what came before a moment', async () => {
    const { counts, data } = await counted({ kind: 'time', validationFrom: 4000, testFrom: 6000 });
    data.histories.users.forEach((name) => expect(counts.get(name)).toBe(4));
  });

  it('is other users', async () => {
    const { counts, data } = await counted({ kind: 'held-out-users', validation: 0.3, test: 0.3 });
    expect(counts.size).toBeLessThan(data.histories.users.length);
    data.histories.users.forEach((name, user) => {
      if (counts.has(name)) expect(counts.get(name)).toBe(data.histories.lengthOf(user));
    });
  });
});

describe('places', () => {
  it('are numbered by user, and from old to new', async () => {
    const data = await dataOf();
    const places = new Places(data, 'train');
    const listed = data.histories.users.flatMap((_, user) =>
      Array.from({ length: data.histories.lengthOf(user) - 3 }, (__, at) => ({ user, position: at + 1 })),
    );
    expect(places.count).toBe(listed.length);
    expect(Array.from({ length: places.count }, (_, number) => places.at(number))).toEqual(listed);
    const last = new Places(data, 'validation').firstOfUsers();
    expect(last).toEqual(
      data.histories.users.map((_, user) => ({ user, position: data.histories.lengthOf(user) - 2 })),
    );
  });
});

describe('examples', () => {
  it('of training never tell of what is validated or tested, not even of the future', async () => {
    const data = await dataOf();
    const tasks = [nextItemTask(), favouriteCategoryTask({ noun: 'genre', over: 'future' })];
    const examples = new TaskExamples({
      data,
      tasks: tasks.map((task) => ({ task, weight: 1 })),
      part: 'train',
      sampling: 'events',
      maximumEvents: 5,
      seed: 1,
    });
    // The same data without the last two events of each user.
    const cut = tinyEvents.filter(
      (event, at) => tinyEvents.slice(at + 1).filter(({ user }) => user === event.user).length >= 2,
    );
    const known = await dataInMemory(cut, tinyItems, leaveOut);
    for (let number = 0; number < 200; number++) {
      const { example, user, position } = examples.at(number);
      expect(example.history.length).toBe(Math.min(5, position));
      const task = tasks.find(({ name }) => name === example.task)!;
      const history = known.histories.history(user);
      expect(position).toBeLessThan(history.events.length);
      const phrasing = Number(example.template.split('#')[1]);
      const again = task.example({ history, position, length: 5, phrasing }, known.catalogue);
      expect(again?.target).toBe(example.target);
    }
  });

  it('depend on their number and the seed alone, and follow the weights', async () => {
    const data = await dataOf();
    const tasks = [
      { task: nextItemTask(), weight: 3 },
      { task: favouriteCategoryTask({ noun: 'genre' }), weight: 1 },
    ];
    const source = (seed: number) =>
      new TaskExamples({ data, tasks, part: 'train', sampling: 'users', maximumEvents: 8, seed });
    const one = source(1);
    const forward = Array.from({ length: 400 }, (_, number) => one.at(number));
    const backward = Array.from({ length: 400 }, (_, number) => source(1).at(399 - number)).reverse();
    expect(backward).toEqual(forward);
    expect(source(2).at(0)).not.toEqual(forward[0]);
    const share = forward.filter(({ example }) => example.task === 'next-item').length / 400;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
    expect(new Set(forward.map(({ example }) => example.template)).size).toBe(7);
  });

  it('make the events of a user once while they have room for them, and are the same without', async () => {
    const data = await dataOf();
    const made = vi.spyOn(data.histories, 'history');
    const drawn = (mostKept?: number) => {
      made.mockClear();
      const tasks = [{ task: nextItemTask(), weight: 1 }];
      const source = new TaskExamples({
        data,
        tasks,
        part: 'train',
        sampling: 'users',
        maximumEvents: 8,
        seed: 1,
        ...(mostKept !== undefined && { mostKept }),
      });
      const examples = Array.from({ length: 300 }, (_, number) => source.at(number));
      return { examples, calls: made.mock.calls.length };
    };
    const all = drawn();
    expect(all.calls).toBe(new Set(all.examples.map(({ user }) => user)).size);
    const few = drawn(30);
    expect(few.examples).toEqual(all.examples);
    expect(few.calls).toBeGreaterThan(4 * all.calls);
  });

  it('of tasks that the data cannot answer are refused', async () => {
    const data = await tokenized(await dataInMemory(tinyEvents, [], leaveOut), { item: { kind: 'id' } }, featureKinds);
    const tasks = [{ task: favouriteCategoryTask({ noun: 'genre' }), weight: 1 }];
    const inputs = { data, tasks, part: 'train', sampling: 'events', maximumEvents: 8, seed: 1 } as const;
    expect(() => new TaskExamples(inputs).at(0)).toThrow(expect.objectContaining({ code: 'no-questions' }));
  });
});

describe('texts of the catalogue', () => {
  it('say title, categories and description', async () => {
    const { catalogue } = await dataInMemory(
      [],
      [
        { item: '7', title: 'Alien', categories: ['Horror', 'Sci-Fi'], description: 'In space\nno one.' },
        { item: '8' },
      ],
      leaveOut,
    );
    expect(catalogueTexts(catalogue)).toEqual(['Alien | Horror, Sci-Fi | In space no one.', '8']);
  });
});
