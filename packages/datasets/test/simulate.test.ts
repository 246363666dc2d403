import type { Event } from '@user-llm/plugin';
import { describe, expect, it } from 'vitest';
import { prepareDataset, simulate, simulated } from '../src/index.js';
import { rowsOf, testFolder } from './support.js';

const size = { users: 2000, items: 400, events: 100_000, seed: 3 };

function groupBy<T>(values: Iterable<T>, key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const own = groups.get(key(value));
    if (own) own.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}

/** Histories without their last event, and that last event, by user. */
function leaveLastOut(events: Iterable<Event>): { readonly history: readonly Event[]; readonly next: string }[] {
  return [...groupBy(events, ({ user }) => user).values()]
    .filter((history) => history.length > 2)
    .map((history) => ({ history: history.slice(0, -1), next: history.at(-1)!.item }));
}

type Users = ReturnType<typeof leaveLastOut>;
type Scores = (history: readonly Event[]) => (item: string) => number;

/** Share of users whose next item is among the ten best that they have not met. */
function hitRate(users: Users, items: readonly string[], scoresOf: Scores): number {
  const hits = users.filter(({ history, next }) => {
    const score = scoresOf(history);
    const seen = new Set(history.map(({ item }) => item));
    const least = score(next);
    return items.filter((item) => !seen.has(item) && item !== next && score(item) >= least).length < 10;
  });
  return hits.length / users.length;
}

describe('the simulated world', () => {
  const world = simulate(size);
  const events = [...world.events()];

  it('has as many users, items and events as asked for, and nobody meets an item twice', () => {
    expect(events).toHaveLength(size.events);
    expect(new Set(events.map(({ user }) => user)).size).toBe(size.users);
    expect(world.items).toHaveLength(size.items);
    expect(new Set(events.map(({ user, item }) => `${user} ${item}`)).size).toBe(size.events);
    for (const [at, { user, time }] of events.entries()) {
      const before = events[at - 1];
      if (before?.user === user) expect(time).toBeGreaterThan(before.time);
    }
    expect(events.every(({ time }) => time >= Date.UTC(2018) && time < Date.UTC(2030))).toBe(true);
  });

  it('is the same for the same options, and another for another seed', () => {
    expect([...simulate(size).events()]).toEqual(events);
    expect([...world.events()].slice(0, 5)).toEqual(events.slice(0, 5));
    expect([...simulate({ ...size, seed: 4 }).events()].slice(0, 5)).not.toEqual(events.slice(0, 5));
  });

  it('has histories of very different lengths, all ratings, and reviews that say the title', () => {
    const lengths = [...groupBy(events, ({ user }) => user).values()].map((own) => own.length).sort((a, b) => a - b);
    expect(lengths[200]!).toBeLessThan(20);
    expect(lengths[1800]!).toBeGreaterThan(80);
    expect(new Set(events.map(({ rating }) => rating))).toEqual(new Set([1, 2, 3, 4, 5]));
    const titles = new Map(world.items.map(({ item, title }) => [item, title!]));
    expect(events.slice(0, 1000).every(({ item, text }) => text!.includes(titles.get(item)!))).toBe(true);
  });

  it('can be told better by the last item, and by taste, than by popularity', () => {
    const users = leaveLastOut(events);
    const items = world.items.map(({ item }) => item);
    const genre = new Map(world.items.map(({ item, categories }) => [item, categories![0]!]));
    const popularity = new Map<string, number>();
    const follows = new Map<string, number>();
    const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const { history } of users) {
      for (const [at, { item }] of history.entries()) {
        add(popularity, item);
        if (at > 0) add(follows, `${history[at - 1]!.item} ${item}`);
      }
    }
    const popular = (item: string) => popularity.get(item) ?? 0;
    const byPopularity = hitRate(users, items, () => popular);
    const byTaste = hitRate(users, items, (history) => {
      const met = new Map<string, number>();
      for (const { item } of history.slice(-20)) add(met, genre.get(item)!);
      return (item) => popular(item) * (met.get(genre.get(item)!) ?? 0);
    });
    const byLast = hitRate(
      users,
      items,
      (history) => (item) => (follows.get(`${history.at(-1)!.item} ${item}`) ?? 0) + 1e-6 * popular(item),
    );
    expect(byPopularity).toBeGreaterThan(0.02);
    expect(byTaste).toBeGreaterThan(1.5 * byPopularity);
    expect(byLast).toBeGreaterThan(1.5 * byPopularity);
  });

  it('has interests that drift: genres at the start of a long history are others than at its end', () => {
    const genre = new Map(world.items.map(({ item, categories }) => [item, categories![0]!]));
    const shares = (part: readonly Event[]) => {
      const counted = groupBy(part, ({ item }) => genre.get(item)!);
      return new Map([...counted].map(([name, own]) => [name, own.length / part.length]));
    };
    const distance = (a: readonly Event[], b: readonly Event[]) => {
      const [first, second] = [shares(a), shares(b)];
      const names = new Set([...first.keys(), ...second.keys()]);
      return [...names].reduce((sum, name) => sum + Math.abs((first.get(name) ?? 0) - (second.get(name) ?? 0)) / 2, 0);
    };
    const long = [...groupBy(events, ({ user }) => user).values()].filter((own) => own.length >= 120);
    const mean = (value: (own: readonly Event[]) => number) =>
      long.reduce((sum, own) => sum + value(own), 0) / long.length;
    const startToEnd = mean((own) => distance(own.slice(0, 40), own.slice(-40)));
    const startToStart = mean((own) => distance(own.slice(0, 40), own.slice(40, 80)));
    expect(startToEnd).toBeGreaterThan(1.2 * startToStart);
  });

  it.each([
    [{ users: 0 }, 'users'],
    [{ users: 100, events: 99 }, '100'],
    [{ users: 1, items: 10, events: 6 }, '5'],
    [{ seed: 1.5 }, 'seed'],
    [{ people: 3 } as object, 'people'],
  ])('refuses %j', (options, named) => {
    expect(() => simulate(options)).toThrow(named);
  });

  it('fills every history to the brim when that is asked for', () => {
    const full = [...simulate({ users: 7, items: 11, events: 35 }).events()];
    expect([...groupBy(full, ({ user }) => user).values()].map((own) => own.length)).toEqual(Array(7).fill(5));
  });
});

it('is a source like others', async () => {
  const output = `${testFolder()}/data`;
  const options = { users: 20, items: 50, events: 300, seed: 1 };
  const manifest = await prepareDataset({ source: simulated(options), output });
  expect(manifest.counts).toMatchObject({ events: 300, users: 20, itemsWithoutMetadata: 0 });
  const world = simulate(options);
  const expected = [...world.events()].map((event) => ({ ...event, time: String(event.time) }));
  expect(await rowsOf(output, 'events')).toEqual(expected);
  expect((await rowsOf(output, 'items')).map(({ title }) => title)).toEqual(world.items.map(({ title }) => title));
});
