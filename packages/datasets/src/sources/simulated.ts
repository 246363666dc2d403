import { join } from 'node:path';
import type { DatasetSource, Event, EventColumns, Item, ItemColumns } from '@user-llm/plugin';
import { writeFileAtomically } from '@user-llm/tensor';
import { parseSimulation, type SimulationOptions } from '../simulate/options.js';
import { simulate } from '../simulate/simulate.js';

const eventColumns: EventColumns = {
  user: { kind: 'text', from: 'user' },
  item: { kind: 'text', from: 'item' },
  time: { kind: 'time', from: 'time', unit: 'milliseconds' },
  rating: { kind: 'number', from: 'rating' },
  text: { kind: 'text', from: 'text' },
  summary: { kind: 'text', from: 'summary' },
};

const itemColumns: ItemColumns = {
  item: { kind: 'text', from: 'item' },
  title: { kind: 'text', from: 'title' },
  categories: { kind: 'texts', from: 'categories', separator: '|' },
};

/**
 * The world of `simulate` as a source, which reads nothing.
 *
 * @throws UserLlmError `bad-options` as `simulate`.
 */
export function simulated(options: SimulationOptions = {}): DatasetSource {
  const { users, items, events, seed } = parseSimulation(options);
  return {
    name: 'simulate',
    description: 'A made-up world of users with tastes',
    citation: `Simulated: ${users} users, ${items} items, ${events} events, seed ${seed}. Nothing in it is about anyone.`,
    locate: async ({ scratch }) => {
      const world = simulate(options);
      const files = { events: join(scratch, 'events.csv'), items: join(scratch, 'items.csv') };
      await writeFileAtomically(files.events, separated(Object.keys(eventColumns), eventRows(world.events())));
      await writeFileAtomically(files.items, separated(Object.keys(itemColumns), itemRows(world.items)));
      return {
        events: { files: [files.events], format: { kind: 'csv' }, columns: eventColumns },
        items: { files: [files.items], format: { kind: 'csv' }, columns: itemColumns },
      };
    },
  };
}

function* eventRows(events: Iterable<Event>): Generator<string> {
  for (const { user, item, time, rating, text, summary } of events) {
    yield `${user},${item},${time},${rating},"${text}","${summary}"\n`;
  }
}

function* itemRows(items: Iterable<Item>): Generator<string> {
  for (const { item, title, categories } of items) yield `${item},"${title}",${categories?.join('|')}\n`;
}

/** Lines of separated values, some thousand at a time. */
function* separated(header: readonly string[], rows: Iterable<string>): Generator<string> {
  let lines = `${header.join(',')}\n`;
  for (const row of rows) {
    lines += row;
    if (lines.length < 1 << 18) continue;
    yield lines;
    lines = '';
  }
  yield lines;
}
